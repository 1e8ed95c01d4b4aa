import type { KeyPage, ListedKey } from '@tierkit/cache';
import { table } from '../output/table.ts';
import { Progress } from '../output/progress.ts';
import { withPlaceOptions, type Registrar } from '../run/registrar.ts';
import type { Session } from '../run/session.ts';
import { wholeNumber } from '../run/whole-number.ts';

interface KeysOptions {
  readonly tier?: string;
  readonly scope?: string;
  readonly tag?: string;
  readonly limit: string;
  readonly cursor?: string;
}

/** As many as one page of a listing has. */
const PAGE = 1_000;

export function keysCommand({ command, action }: Registrar): void {
  withPlaceOptions(command('keys [pattern]', 'names of the entries that exist; * stands for any characters, ? for one'))
    .option('--tag <tag>', 'only entries with this tag')
    .option('--limit <count>', 'how many at the most, up to 100000', '100')
    .option('--cursor <cursor>', 'where an earlier listing ended')
    .action(
      action(async (session: Session, pattern: string | undefined, options: KeysOptions) => {
        const limit = wholeNumber(options.limit, '--limit', 100_000);
        const { keys, cursor } = await listed(session, pattern, options, limit);
        const rows = keys.map(({ tier, scope, key, tags }) => [tier, scope, key, tags.join(', ')]);
        const more = cursor === undefined ? '' : `\nThere is more: --cursor ${cursor}`;
        session.output.report({
          data: { keys, ...(cursor === undefined ? {} : { cursor }) },
          text: keys.length === 0 ? `no keys${more}` : table(['TIER', 'SCOPE', 'KEY', 'TAGS'], rows) + more,
        });
        return undefined;
      }),
    );
}

async function listed(
  session: Session,
  pattern: string | undefined,
  { tier, scope, tag, cursor: from }: KeysOptions,
  limit: number,
): Promise<KeyPage> {
  const { inspection } = await session.tiers();
  const progress = new Progress(session.output, 'keys');
  const found = new Map<string, ListedKey>();
  let cursor = from;
  do {
    const room = Math.min(PAGE, limit - found.size);
    const page = await session.untilAborted(inspection.keys({ tier, scope, tag, pattern, limit: room, cursor }));
    // Redis may give a key twice.
    for (const key of page.keys) found.set(`${key.tier}\n${key.scope}\n${key.key}`, key);
    ({ cursor } = page);
    progress.show(found.size);
  } while (cursor !== undefined && found.size < limit);
  progress.end();
  const keys = [...found.values()];
  return cursor === undefined ? { keys } : { keys, cursor };
}
