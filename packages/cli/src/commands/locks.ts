import type { Locks } from '@tierkit/lock';
import { cliError } from '../errors.ts';
import { findNames } from '../discovery/find-names.ts';
import { lockOf } from '../discovery/layout.ts';
import { printable } from '../output/printable.ts';
import { Progress } from '../output/progress.ts';
import { facts, table } from '../output/table.ts';
import { time } from '../output/units.ts';
import { confirm } from '../run/confirm.ts';
import { yesOption, type Registrar } from '../run/registrar.ts';
import type { Session } from '../run/session.ts';

interface LocksOptions {
  readonly semaphore?: boolean;
  readonly release?: boolean;
  readonly all?: boolean;
  readonly yes?: boolean;
}

type Kind = 'lock' | 'semaphore';

/** Locks that are looked at for a listing. */
const MOST = 500;

export function locksCommand({ command, action }: Registrar): void {
  command('locks [name]', 'who holds locks and semaphores and how many wait; with --release takes one away')
    .option('--semaphore', 'the name is that of a semaphore')
    .option('--release', 'takes the lock away from whoever has it')
    .option('--all', 'locks that nobody has as well')
    .addOption(yesOption())
    .action(
      action(async (session: Session, name: string | undefined, options: LocksOptions) => {
        const kind = options.semaphore === true ? 'semaphore' : 'lock';
        if (options.release === true) {
          if (name === undefined) throw cliError('ERR_CLI_USAGE', '--release takes the name of a lock');
          await release(session, kind, name, options.yes);
        } else if (name === undefined) await list(session, options.all === true);
        else await show(session, kind, name);
        return undefined;
      }),
    );
}

async function stateOf(locks: Locks, kind: Kind, name: string) {
  const { holders, waiters, waiting, lastToken } = await part(locks, kind, name).inspect();
  const shown = holders.map(({ owner, mode, token, ttlMs }) => ({ owner, mode, token: token ?? null, ttlMs }));
  return { kind, name, holders: shown, waiters, waiting, lastToken };
}

/** However many permits a semaphore has, its state and its end are the same. */
function part(locks: Locks, kind: Kind, name: string) {
  if (kind === 'semaphore') return locks.semaphore(name, 1);
  return { inspect: () => locks.inspect(name), forceRelease: () => locks.forceRelease(name) };
}

async function list(session: Session, all: boolean): Promise<void> {
  const redis = await session.durable();
  const { prefix, signal } = session;
  const progress = new Progress(session.output, 'looking at keys:');
  const nameOf = (key: string): string | undefined => {
    const found = lockOf(prefix, key);
    return found && `${found.kind}\n${found.name}`;
  };
  const found: string[] = [];
  let more = false;
  for (const match of [`${prefix}lock:{*}*`, `${prefix}semaphore:{*}*`]) {
    const part = await findNames({ redis, match, nameOf, most: MOST, signal, progress });
    found.push(...part.names.keys());
    more ||= part.more;
  }
  const locks = await session.locks();
  const states = await Promise.all(
    found.map((one) => {
      const [kind = 'lock', name = ''] = one.split('\n');
      return stateOf(locks, kind as Kind, name);
    }),
  );
  const shown = states.filter(({ holders, waiting }) => all || holders.length > 0 || waiting > 0);
  const rows = shown.map(({ kind, name, holders, waiting }) => {
    const [first] = holders;
    const others = holders.length > 1 ? ` and ${holders.length - 1} more` : '';
    return [
      kind,
      name,
      first === undefined ? undefined : `${first.owner}${others}`,
      first?.mode,
      first?.token ?? undefined,
      first === undefined ? undefined : time(first.ttlMs),
      waiting,
    ];
  });
  const rest = more ? `\n(only ${MOST} were looked at)` : '';
  session.output.report({
    data: { locks: shown, complete: !more },
    text: (rows.length === 0 ? 'nobody holds a lock or waits for one' : table(HEADER, rows)) + rest,
  });
}

const HEADER = ['KIND', 'NAME', 'HOLDER', 'MODE', 'TOKEN', 'LEFT', 'WAITING'];

async function show(session: Session, kind: Kind, name: string): Promise<void> {
  const state = await stateOf(await session.locks(), kind, name);
  const { holders, waiters, waiting, lastToken } = state;
  const holding = holders.map(({ owner, mode, token, ttlMs }) => [owner, mode, token ?? undefined, time(ttlMs)]);
  const parts = [
    facts([
      [kind, name],
      ['last token', lastToken],
      ['waiting', waiting],
    ]),
  ];
  if (holding.length > 0) parts.push(table(['HOLDER', 'MODE', 'TOKEN', 'LEFT'], holding));
  if (waiters.length > 0)
    parts.push(
      table(
        ['WAITER', 'MODE'],
        waiters.map(({ owner, mode }) => [owner, mode]),
      ),
    );
  session.output.report({ data: state, text: parts.join('\n\n') });
}

async function release(session: Session, kind: Kind, name: string, yes: boolean | undefined): Promise<void> {
  const locks = await session.locks();
  const { holders } = await stateOf(locks, kind, name);
  if (holders.length === 0) throw cliError('ERR_CLI_NOT_FOUND', `nobody has the ${kind} ${printable(name, 200)}`);
  const owners = holders.map(({ owner }) => printable(owner, 100)).join(', ');
  const question = `This takes the ${kind} ${printable(name, 200)} away from ${owners}, whose work goes on until they notice.`;
  await confirm(session.asker, { question, yes, signal: session.signal });
  const released = await part(locks, kind, name).forceRelease();
  session.output.report({
    data: { kind, name, released },
    text: released ? `released ${printable(name, 200)}` : 'it had been released meanwhile',
  });
}
