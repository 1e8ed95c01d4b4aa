import { pathSegment } from '@tierkit/admin/path-name';
import { givenSegment } from '@tierkit/core';
import type { RedisConnection } from '@tierkit/redis';
import { findNames } from '../discovery/find-names.ts';
import { quotaOf } from '../discovery/layout.ts';
import { cliError } from '../errors.ts';
import { printable } from '../output/printable.ts';
import { Progress } from '../output/progress.ts';
import { table } from '../output/table.ts';
import { confirm } from '../run/confirm.ts';
import { adminOption, yesOption, type Registrar } from '../run/registrar.ts';
import type { Session } from '../run/session.ts';

interface ServiceUsage {
  readonly usage: Readonly<
    Record<
      string,
      Readonly<
        Record<
          string,
          {
            readonly used: number;
            readonly held: number;
            readonly limit: number | null;
            readonly remaining: number | null;
          }
        >
      >
    >
  >;
}

interface QuotaOptions {
  readonly name: string;
  readonly reset?: boolean;
  readonly yes?: boolean;
}

const MOST = 1_000;
/** Metrics of one period that are shown. */
const MOST_METRICS = 200;

export function quotaCommand({ command, action }: Registrar): void {
  command(
    'quota [subject]',
    'whose usage is counted, and what a subject used by period; with --admin against which limits',
  )
    .addOption(adminOption())
    .option('--name <quota>', 'which quota of the service (with --admin)', 'quota')
    .option('--reset', 'lets the subject begin its periods anew (with --admin)')
    .addOption(yesOption())
    .action(
      action(async (session: Session, subject: string | undefined, options: QuotaOptions) => {
        if (subject === undefined && options.reset === true) {
          throw cliError('ERR_CLI_USAGE', '--reset takes a subject');
        }
        if (subject === undefined) await subjects(session);
        else if (session.adminApi === undefined && options.reset !== true) await used(session, subject);
        else await against(session, subject, options);
        return undefined;
      }),
    );
}

async function found(session: Session, redis: RedisConnection, nameOf: (key: string) => string | undefined) {
  const { prefix, signal } = session;
  const progress = new Progress(session.output, 'looking at keys:');
  return findNames({ redis, match: `${prefix}*quota:{*}:per:*`, most: MOST, signal, progress, nameOf });
}

async function subjects(session: Session): Promise<void> {
  const redis = await session.durable();
  const { names, more } = await found(session, redis, (key) => {
    const known = quotaOf(session.prefix, key);
    return known && `${known.own}\n${known.subject}`;
  });
  const all = [...names].map(([name, periods]) => {
    const [own = '', subject = ''] = name.split('\n');
    return { quota: own, subject, periods };
  });
  const rows = all.map(({ quota, subject, periods }) => [quota, subject, periods]);
  session.output.report({
    data: { source: 'redis', subjects: all, complete: !more },
    text: rows.length === 0 ? 'nobody has used anything of late' : table(['QUOTA', 'SUBJECT', 'PERIODS'], rows),
  });
}

async function used(session: Session, subject: string): Promise<void> {
  const stored = givenSegment(subject, 'subject');
  const redis = await session.durable();
  const { names } = await found(session, redis, (key) =>
    quotaOf(session.prefix, key)?.subject === stored ? key : undefined,
  );
  if (names.size === 0) throw cliError('ERR_CLI_NOT_FOUND', `nothing is counted for ${printable(subject, 200)}`);
  const periods: { quota: string; period: string; startMs: number; used: Record<string, number> }[] = [];
  for (const key of names.keys()) {
    const known = quotaOf(session.prefix, key);
    if (known === undefined) continue;
    const [, fields] = await redis.execute((client) => client.hscan(key, 0, 'COUNT', MOST_METRICS));
    const amounts: Record<string, number> = {};
    for (let i = 0; i + 1 < Math.min(fields.length, 2 * MOST_METRICS); i += 2) {
      Object.defineProperty(amounts, fields[i] ?? '', { value: Number(fields[i + 1]), enumerable: true });
    }
    periods.push({ quota: known.own, period: known.period, startMs: known.startMs, used: amounts });
  }
  const rows = periods.flatMap(({ quota, period, startMs, used: amounts }) =>
    Object.entries(amounts).map(([metric, amount]) => [quota, period, new Date(startMs).toISOString(), metric, amount]),
  );
  session.output.report({
    data: { source: 'redis', subject, periods },
    text: `${table(['QUOTA', 'PERIOD', 'SINCE', 'METRIC', 'USED'], rows)}\n(limits: only a running service knows, with --admin)`,
  });
}

async function against(session: Session, subject: string, { name: quota, reset, yes }: QuotaOptions): Promise<void> {
  const api = session.requireAdminApi('the metrics and limits of a quota');
  const path = `/api/v1/quotas/${pathSegment(quota)}/subjects/${pathSegment(subject)}`;
  if (reset === true) {
    const question = `This lets ${printable(subject, 200)} begin the periods of now anew with ${printable(quota, 200)}.`;
    await confirm(session.asker, { question, yes, signal: session.signal });
  }
  const { usage } = await (reset === true ? api.delete<ServiceUsage>(path) : api.get<ServiceUsage>(path));
  const rows = Object.entries(usage).flatMap(([metric, periods]) =>
    Object.entries(periods).map(([period, { used: amount, held, limit, remaining }]) => {
      return [metric, period, amount, held, limit ?? undefined, remaining ?? undefined];
    }),
  );
  session.output.report({
    data: { source: 'service', quota, subject, ...(reset === true ? { reset } : {}), usage },
    text: table(['METRIC', 'PERIOD', 'USED', 'HELD', 'LIMIT', 'REMAINING'], rows),
  });
}
