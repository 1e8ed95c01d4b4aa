import type { RedisOptions } from '@tierkit/redis';
import { EXIT } from '../exit-codes.ts';
import { examine, type Examined } from '../doctor/examine.ts';
import { printable } from '../output/printable.ts';
import type { Registrar } from '../run/registrar.ts';
import { addressOf, type Session } from '../run/session.ts';

const MARKS = { ok: 'ok  ', warn: 'WARN', fail: 'FAIL', skipped: '-   ' } as const;

export function doctorCommand({ command, action }: Registrar): void {
  command(
    'doctor',
    'whether Redis is fit for what it is used for: connectivity, version, eviction, persistence, latency, clock, rights',
  )
    .addHelpText(
      'after',
      '\nIt writes a few keys below {tierkit}doctor: and removes them. Exit code 1: something has to be repaired.',
    )
    .action(
      action(async (session: Session) => {
        const { redis, durableRedis } = session.kitOptions;
        // How long services wait, where the environment says so; this command itself waits longer.
        const { commandTimeout } = redis as RedisOptions;
        const deadline = session.environment['REDIS_SOCKET_TIMEOUT'] === undefined ? undefined : commandTimeout;
        const examined: Examined[] = [];
        const purpose = durableRedis === undefined ? 'everything' : 'cache';
        examined.push(await examine(session, redis, { purpose, address: addressOf(redis), deadline }));
        if (durableRedis !== undefined) {
          const address = addressOf(durableRedis);
          examined.push(await examine(session, durableRedis, { purpose: 'durable', address, deadline }));
        }
        const findings = examined.flatMap((one) => one.findings);
        const failed = findings.filter(({ status }) => status === 'fail').length;
        const warned = findings.filter(({ status }) => status === 'warn').length;
        session.output.report({
          data: { healthy: failed === 0, failed, warned, servers: examined },
          text: [...examined.map(textOf), summary(failed, warned)].join('\n\n'),
        });
        const unreachable = findings.some(
          ({ check, status, refused }) => check === 'connectivity' && status === 'fail' && refused !== true,
        );
        const refused = findings.some((finding) => finding.refused);
        return refused ? EXIT.refused : unreachable ? EXIT.unreachable : failed > 0 ? EXIT.failed : EXIT.done;
      }),
    );
}

function textOf({ purpose, address, findings }: Examined): string {
  const lines = findings.flatMap(({ check, status, found, advice }) => {
    const line = `${MARKS[status]}  ${check.padEnd(12)}  ${printable(found)}`;
    return advice === undefined ? [line] : [line, `${' '.repeat(20)}${printable(advice, 1_000)}`];
  });
  return [`Redis at ${printable(address)} for ${purpose}`, ...lines].join('\n');
}

function summary(failed: number, warned: number): string {
  if (failed + warned === 0) return 'All is well.';
  return `${failed} to repair, ${warned} to look at.`;
}
