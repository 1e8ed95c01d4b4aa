import { PLAN_OF, PLANS } from '../instance/allowances.ts';
import type { Stage } from '../stage/stage.ts';

const REQUESTS = 60;

/** Two users ask both instances at once, each request twice, as a client does that has lost the answer. */
export async function quotasAct({ instances, editable, printer, verdicts }: Stage): Promise<void> {
  printer.title('Quotas: two users on plans, charged by both instances at once, every request sent twice');
  const told: string[] = [];
  const rows: (readonly (string | number)[])[] = [];
  for (const [user, plan] of Object.entries(PLAN_OF)) {
    const outcomes = await Promise.all(
      instances.map((instance) =>
        instance.call('chargedAnalyses', {
          user,
          requests: Array.from({ length: REQUESTS }, (_, i) => ({
            request: `${instance.name}-${i}`,
            path: editable[i % editable.length] ?? '',
          })),
        }),
      ),
    );
    const total = new Map<string, number>();
    for (const { counts, warnings } of outcomes) {
      told.push(...warnings);
      for (const [outcome, count] of Object.entries(counts)) total.set(outcome, (total.get(outcome) ?? 0) + count);
    }
    const account = await instances[0]?.call('account', { user });
    if (account === undefined) throw new Error('there is no instance');
    const { analysisRuns, costToday, costThisMonth, storageBytes } = account;
    const refused = [...total].filter(([outcome]) => outcome.includes(' per ')).map(([outcome]) => outcome);
    rows.push([
      `${user} (${plan})`,
      `${analysisRuns} of ${PLANS[plan].analysisRuns}`,
      `${(storageBytes / 1024).toFixed(0)} KiB`,
      micros(costToday),
      micros(costThisMonth),
      refused.length === 0 ? 'nothing' : refused.join(', '),
    ]);
    const counted = total.get('counted') ?? 0;
    verdicts.expect(
      `what was allowed to ${user} is what was counted, each request once`,
      `${counted} allowed, ${analysisRuns} counted`,
      counted === analysisRuns && analysisRuns <= PLANS[plan].analysisRuns,
    );
  }
  printer.table([['user', 'analyses today', 'read', 'cost today', 'this month', 'refused by'], ...rows]);
  for (const warning of told) printer.line(`Warning, told once by the instance that reached it: ${warning}`);
  verdicts.expect('no warning is told twice', `${told.length} told`, new Set(told).size === told.length);
}

function micros(amount: number): string {
  return `${(amount / 1_000_000).toFixed(2)} €`;
}
