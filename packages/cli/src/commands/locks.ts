import { givenKey } from '@tierkit/core';
import type { ListedLock, ListedName, Locks, LockState } from '@tierkit/lock';
import { cliError, isForeign } from '../errors.ts';
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
  readonly yes?: boolean;
}

type Kind = 'lock' | 'semaphore';

/** Locks that are looked at for a listing. */
const MOST = 500;

export function locksCommand({ command, action }: Registrar): void {
  command('locks [name]', 'who holds locks and semaphores and how many wait; with --release takes one away')
    .option('--semaphore', 'the name is that of a semaphore')
    .option('--release', 'takes the lock away from whoever has it')
    .addOption(yesOption())
    .action(
      action(async (session: Session, name: string | undefined, options: LocksOptions) => {
        const kind = options.semaphore === true ? 'semaphore' : 'lock';
        if (options.release === true) {
          if (name === undefined) throw cliError('ERR_CLI_USAGE', '--release takes the name of a lock');
          await release(session, kind, name, options.yes);
        } else if (name === undefined) await list(session);
        else await show(session, kind, name);
        return undefined;
      }),
    );
}

async function stateOf(locks: Locks, { kind, name }: ListedName): Promise<KnownLock> {
  const { holders, waiters, waiting, lastToken } = await locks.inspect({ kind, name });
  const shown = holders.map(({ owner, mode, token, ttlMs }) => ({ owner, mode, token: token ?? null, ttlMs }));
  return { kind, name, holders: shown, waiters, waiting, lastToken, foreign: false };
}

interface KnownLock extends Pick<LockState, 'waiters' | 'waiting' | 'lastToken'> {
  readonly kind: Kind;
  readonly name: string;
  readonly holders: readonly {
    readonly owner: string;
    readonly mode: string;
    readonly token: bigint | null;
    readonly ttlMs: number;
  }[];
  readonly foreign: boolean;
}

async function list(session: Session): Promise<void> {
  const locks = await session.locks();
  const progress = new Progress(session.output, 'locks');
  const found = new Map<string, ListedLock>();
  let cursor: string | undefined;
  do {
    const page = await session.untilAborted(locks.list({ limit: MOST, cursor }));
    // Redis may give a key twice.
    for (const lock of page.locks) found.set(`${lock.kind}\n${lock.name}`, lock);
    ({ cursor } = page);
    progress.show(found.size);
  } while (cursor !== undefined && found.size < MOST);
  progress.end();
  const sorted = [...found].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, lock]) => lock);
  const shown = await session.untilAborted(Promise.all(sorted.map(async (lock) => known(locks, lock))));
  const rows = shown.map(({ kind, name, holders, waiting, foreign }) => {
    const [first] = holders;
    const others = holders.length > 1 ? ` and ${holders.length - 1} more` : '';
    return [
      kind,
      name,
      foreign ? 'what no lock has written' : first === undefined ? undefined : `${first.owner}${others}`,
      first?.mode,
      first?.token ?? undefined,
      first === undefined ? undefined : time(first.ttlMs),
      waiting,
    ];
  });
  const rest = cursor === undefined ? '' : `\n(only ${MOST} were looked at)`;
  session.output.report({
    data: { locks: shown, complete: cursor === undefined },
    text: (rows.length === 0 ? 'nobody holds a lock or waits for one' : table(HEADER, rows)) + rest,
  });
}

async function known(locks: Locks, { foreign, ...lock }: ListedLock): Promise<KnownLock> {
  if (foreign) return Object.assign(lock, { holders: [], waiters: [], lastToken: 0n, foreign });
  return stateOf(locks, lock);
}

const HEADER = ['KIND', 'NAME', 'HOLDER', 'MODE', 'TOKEN', 'LEFT', 'WAITING'];

async function show(session: Session, kind: Kind, name: string): Promise<void> {
  const { foreign: _, ...state } = await stateOf(await session.locks(), { kind, name: givenKey(name) });
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
  const lock = { kind, name: givenKey(name) };
  // What no lock has written has no holders to tell of, and can be taken away too.
  const holders = await session.untilAborted(locks.inspect(lock)).then(
    (state) => state.holders,
    (error: unknown) => {
      if (error instanceof Error && isForeign(error)) return undefined;
      throw error;
    },
  );
  if (holders?.length === 0) throw cliError('ERR_CLI_NOT_FOUND', `nobody has the ${kind} ${printable(name, 200)}`);
  const owners = holders?.map(({ owner }) => printable(owner, 100)).join(', ');
  const question =
    owners === undefined
      ? `What stands under the ${kind} ${printable(name, 200)} was not written by one. This removes it.`
      : `This takes the ${kind} ${printable(name, 200)} away from ${owners}, whose work goes on until they notice.`;
  await confirm(session.asker, { question, yes, signal: session.signal });
  const released = await locks.forceRelease(lock);
  session.output.report({
    data: { kind, name, released },
    text: released ? `released ${printable(name, 200)}` : 'it had been released meanwhile',
  });
}
