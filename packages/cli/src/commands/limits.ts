import { pathSegment } from '@tierkit/admin/path-name';
import { findNames } from '../discovery/find-names.ts';
import { limitOf } from '../discovery/layout.ts';
import { cliError } from '../errors.ts';
import { printable } from '../output/printable.ts';
import { Progress } from '../output/progress.ts';
import { facts, table } from '../output/table.ts';
import { time } from '../output/units.ts';
import { confirm } from '../run/confirm.ts';
import { adminOption, yesOption, type Registrar } from '../run/registrar.ts';
import type { Session } from '../run/session.ts';

interface LimitsOptions {
  readonly reset?: boolean;
  readonly yes?: boolean;
}

interface PolicyState {
  readonly name: string;
  readonly limit: number | null;
  readonly remaining: number | null;
  readonly resetMs: number;
  readonly retryAfterMs: number | null;
}

interface LimitState {
  readonly allowed: boolean;
  readonly source: string;
  readonly policies: readonly PolicyState[];
}

interface Limiters {
  readonly limiters: readonly {
    readonly name: string;
    readonly policies: readonly {
      readonly name: string;
      readonly kind: string;
      readonly limit: number;
      readonly perMs: number;
    }[];
  }[];
}

const MOST = 1_000;

export function limitsCommand({ command, action }: Registrar): void {
  command(
    'limits [limiter] [subject]',
    'limiters that counted somebody; with --admin policies and how a subject stands',
  )
    .addOption(adminOption())
    .option('--reset', 'lets the subject begin anew (with --admin)')
    .addOption(yesOption())
    .action(
      action(
        async (session: Session, limiter: string | undefined, subject: string | undefined, options: LimitsOptions) => {
          if (limiter !== undefined && subject !== undefined) await standing(session, limiter, subject, options);
          else if (options.reset === true) throw cliError('ERR_CLI_USAGE', '--reset takes a limiter and a subject');
          else if (limiter !== undefined)
            throw cliError('ERR_CLI_USAGE', 'limits takes a limiter and a subject, or neither');
          else await list(session);
          return undefined;
        },
      ),
    );
}

async function list(session: Session): Promise<void> {
  const api = session.adminApi;
  if (api !== undefined) {
    const { limiters } = await api.get<Limiters>('/api/v1/limiters');
    const rows = limiters.flatMap(({ name, policies }) =>
      policies.map(({ name: policy, kind, limit, perMs }) => [name, policy, kind, limit, time(perMs)]),
    );
    const text = table(['LIMITER', 'POLICY', 'KIND', 'LIMIT', 'PER'], rows);
    return session.output.report({ data: { source: 'service', limiters }, text });
  }
  const redis = await session.redis();
  const { prefix, signal } = session;
  const { names, more } = await findNames({
    ...{ redis, match: `${prefix}*limit:{*}:*`, most: MOST, signal },
    progress: new Progress(session.output, 'looking at keys:'),
    nameOf(key) {
      const found = limitOf(prefix, key);
      return found && found.own + found.limiter;
    },
  });
  const limiters = [...names].map(([name, subjects]) => ({ name, subjects }));
  const rows = limiters.map(({ name, subjects }) => [name, subjects]);
  session.output.report({
    data: { source: 'redis', limiters, complete: !more },
    text:
      rows.length === 0
        ? 'no limiter has counted anybody of late'
        : `${table(['LIMITER', 'SUBJECTS'], rows)}\n(policies, and how a subject stands: only a running service knows, with --admin)`,
  });
}

async function standing(session: Session, name: string, subject: string, { reset, yes }: LimitsOptions): Promise<void> {
  const api = session.requireAdminApi('the policies of a limiter');
  const path = `/api/v1/limiters/${pathSegment(name)}/subjects/${pathSegment(subject)}`;
  if (reset === true) {
    const question = `This lets ${printable(subject, 200)} begin anew with ${printable(name, 200)}.`;
    await confirm(session.asker, { question, yes, signal: session.signal });
    const done = await api.delete<{ readonly reset: boolean }>(path);
    return session.output.report({ data: { limiter: name, subject, ...done }, text: 'reset' });
  }
  const state = await api.get<LimitState>(path);
  const rows = state.policies.map((policy) => [
    policy.name,
    policy.limit ?? undefined,
    policy.remaining ?? undefined,
    time(policy.resetMs),
    policy.retryAfterMs === null ? 'never' : time(policy.retryAfterMs),
  ]);
  const verdict = facts([
    ['next call', state.allowed ? 'allowed' : 'denied'],
    ['decided by', state.source],
  ]);
  session.output.report({
    data: { limiter: name, subject, ...state },
    text: `${verdict}\n\n${table(['POLICY', 'LIMIT', 'REMAINING', 'RESET IN', 'RETRY AFTER'], rows)}`,
  });
}
