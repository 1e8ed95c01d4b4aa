import { PLAN_OF } from '../instance/allowances.ts';
import { OWN_LIMIT, REQUESTS_A_MINUTE } from '../instance/request-limits.ts';
import type { Stage } from '../stage/stage.ts';

const USERS = ['ann', 'bo', 'cy'];
const REQUESTS = 150;
const ASKED = 12;

/** A burst of each user on all instances at once, and how a provider's limit stands. */
export async function limitsAct({ a, b, instances, printer, verdicts }: Stage): Promise<void> {
  const where = instances.length === 1 ? 'the instance' : 'both instances';
  printer.title(`Limits: a burst of three users on ${where} at once, ${REQUESTS} requests each, and all of them again`);
  const rows: (readonly (string | number)[])[] = [];
  for (const user of USERS) {
    const bursts = await Promise.all(instances.map((instance) => instance.call('burst', { user, requests: REQUESTS })));
    const sum = (pick: (burst: (typeof bursts)[number]) => number): number =>
      bursts.reduce((total, burst) => total + pick(burst), 0);
    const plan = PLAN_OF[user] ?? 'free';
    const limit = OWN_LIMIT[user] ?? REQUESTS_A_MINUTE[plan];
    const allowed = sum((burst) => burst.allowed);
    const denied = sum((burst) => burst.denied);
    const inProcess = sum((burst) => burst.shielded);
    const retrySeconds = Math.ceil(Math.max(...bursts.map(({ retryAfterMs }) => retryAfterMs)) / 1_000);
    rows.push([
      `${user} (${OWN_LIMIT[user] === undefined ? plan : 'a limit of their own'})`,
      limit,
      bursts.map((burst) => burst.allowed).join(' + '),
      denied,
      inProcess,
      `${retrySeconds} s`,
    ]);
    verdicts.expect(
      `a burst of ${user} passes ${limit} requests, not one more`,
      `${allowed} allowed`,
      allowed === limit,
    );
  }
  const by = instances.map(({ name }) => name).join(' + ');
  printer.table([['user', 'a minute', `allowed on ${by}`, 'denied', 'without asking Redis', 'try again in'], ...rows]);

  const asked = await a.call('provider', { name: 'registry', requests: ASKED });
  const seen = await (b ?? a).call('provider', { name: 'registry', requests: 0 });
  printer.line(
    `The registry was asked ${ASKED} times by A; ${(b ?? a).name} sees ${seen.remaining} of ${seen.limit} left this minute, and asking for that took none.`,
  );
  const right = seen.remaining === asked.remaining && seen.remaining === seen.limit - ASKED;
  verdicts.expect("a provider's status is the same everywhere, and free", `${seen.remaining} left`, right);
}
