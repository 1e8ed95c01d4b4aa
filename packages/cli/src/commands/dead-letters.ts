import { findQueues, type FoundQueue } from '../discovery/queues.ts';
import { cliError } from '../errors.ts';
import { printable } from '../output/printable.ts';
import { table } from '../output/table.ts';
import { confirm } from '../run/confirm.ts';
import { yesOption, type Registrar } from '../run/registrar.ts';
import type { Session } from '../run/session.ts';
import { wholeNumber } from '../run/whole-number.ts';

interface LettersOptions {
  readonly kind?: string;
  readonly after?: string;
  readonly limit: string;
  readonly replay?: boolean;
  readonly remove?: boolean;
  readonly id: readonly string[];
  readonly yes?: boolean;
}

export function deadLettersCommand({ command, action }: Registrar): void {
  command('dead-letters [queue]', 'what durable channels and write-behind queues gave up; with --replay puts it back')
    .option('--kind <kind>', 'stream or write-behind, where both have the name')
    .option('--limit <count>', 'how many of one queue, up to 1000', '100')
    .option('--after <id>', 'those behind this one')
    .option('--replay', 'puts dead letters back to be worked off')
    .option('--remove', 'discards dead letters')
    .option('--id <id>', 'only this one; again for more (default: all)', added, [])
    .addOption(yesOption())
    .action(
      action(async (session: Session, name: string | undefined, options: LettersOptions) => {
        if (options.replay === true && options.remove === true) {
          throw cliError('ERR_CLI_USAGE', 'give one of --replay and --remove');
        }
        if (options.kind !== undefined && options.kind !== 'stream' && options.kind !== 'write-behind') {
          throw cliError('ERR_CLI_USAGE', '--kind is stream or write-behind');
        }
        const act = options.replay === true ? 'replay' : options.remove === true ? 'remove' : undefined;
        if (act !== undefined && name === undefined)
          throw cliError('ERR_CLI_USAGE', `--${act} takes the name of a queue`);
        const all = await findQueues(session);
        const chosen = all
          .filter((one) => name === undefined || one.name === name)
          .filter((one) => options.kind === undefined || one.kind === options.kind);
        if (name === undefined) return overview(session, chosen);
        const [queue, other] = chosen;
        if (queue === undefined) throw cliError('ERR_CLI_NOT_FOUND', `nothing is called ${printable(name, 200)}`);
        if (other !== undefined) throw cliError('ERR_CLI_USAGE', 'several have this name: give --kind');
        return act === undefined ? list(session, queue, options) : change(session, queue, act, options);
      }),
    );
}

const added = (id: string, before: readonly string[]): string[] => [...before, id];

async function overview(session: Session, queues: readonly FoundQueue[]): Promise<undefined> {
  const counted = await Promise.all(
    queues.map(async (queue) => ({ kind: queue.kind, name: queue.name, deadLetters: await queue.count() })),
  );
  const rows = counted.map(({ kind, name, deadLetters }) => [kind, name, deadLetters]);
  session.output.report({
    data: { queues: counted },
    text:
      rows.length === 0
        ? 'there are no durable channels and no write-behind queues'
        : table(['KIND', 'NAME', 'DEAD LETTERS'], rows),
  });
}

async function list(session: Session, queue: FoundQueue, { after, limit }: LettersOptions): Promise<undefined> {
  const most = wholeNumber(limit, '--limit', 1_000);
  const letters = await queue.list(after === undefined ? { limit: most } : { after, limit: most });
  const rows = letters.map(({ id, group, attempts, reason, timeMs }) => [
    id,
    new Date(timeMs).toISOString(),
    group,
    attempts,
    reason,
  ]);
  session.output.report({
    data: { kind: queue.kind, name: queue.name, deadLetters: letters },
    text: rows.length === 0 ? 'no dead letters' : table(['ID', 'GIVEN UP', 'GROUP', 'ATTEMPTS', 'REASON'], rows),
  });
}

async function change(
  session: Session,
  queue: FoundQueue,
  act: 'replay' | 'remove',
  { id: ids, yes }: LettersOptions,
): Promise<undefined> {
  const count = ids.length === 0 ? await queue.count() : ids.length;
  const verb = act === 'replay' ? 'puts back' : 'discards';
  const question = `This ${verb} ${count} dead letters of ${printable(queue.name, 200)}.`;
  await confirm(session.asker, { question, yes, signal: session.signal });
  const done = await queue[act](ids.length === 0 ? undefined : ids);
  session.output.report({
    data: { kind: queue.kind, name: queue.name, [act === 'replay' ? 'replayed' : 'removed']: done },
    text: `${done} dead letters were ${act === 'replay' ? 'put back' : 'discarded'}`,
  });
}
