import type { Inspection, Scope, Tiers } from '@tierkit/cache';
import { cliError } from '../errors.ts';
import { printable } from '../output/printable.ts';
import { Progress } from '../output/progress.ts';
import { confirm } from '../run/confirm.ts';
import { confirmation, type Unconfirmed } from '../run/confirmed.ts';
import { withPlaceOptions, yesOption, type Registrar } from '../run/registrar.ts';
import type { Session } from '../run/session.ts';

interface InvalidateOptions {
  readonly tier?: string;
  readonly scope?: string;
  readonly tag: readonly string[];
  readonly dryRun?: boolean;
  readonly yes?: boolean;
}

export function invalidateCommand({ command, action }: Registrar): void {
  withPlaceOptions(
    command('invalidate [pattern]', 'ends the entries that match, or that have a tag: counts, asks, ends'),
  )
    .option('--tag <tag>', 'entries with this tag, in all tiers or in the scope given; again for more', added, [])
    .option('--dry-run', 'only counts')
    .addOption(yesOption())
    .action(
      action(async (session: Session, pattern: string | undefined, options: InvalidateOptions) => {
        const { tag: tags, tier, scope } = options;
        if ((pattern === undefined) === (tags.length === 0)) {
          throw cliError('ERR_CLI_USAGE', 'invalidate takes a pattern, or --tag');
        }
        const tiers = await session.tiers();
        const everywhere = tier === undefined && scope === undefined;
        const target = everywhere && pattern === undefined ? undefined : scopeOf(tiers, options);
        const what =
          pattern === undefined
            ? `tagged ${tags.map((tag) => printable(tag, 100)).join(', ')}`
            : `matching ${printable(pattern, 200)}`;
        const counting = new Progress(session.output, 'counting');
        counting.show(0);
        const matching =
          pattern === undefined || target === undefined
            ? await countTagged(session, tiers.inspection, tags, everywhere ? undefined : { tier, scope }, counting)
            : await dryRun(session, target, pattern, counting);
        counting.end();
        const subject = { ...(pattern === undefined ? { tags } : { pattern }), matching };
        if (options.dryRun === true) {
          session.output.report({
            data: { ...subject, dryRun: true },
            text: `${matching} entries ${what}; nothing was changed`,
          });
          return undefined;
        }
        const question = `This ends ${matching} entries ${what}.`;
        await confirm(session.asker, { question, yes: options.yes, signal: session.signal });
        const { deleted, unconfirmed } =
          pattern === undefined
            ? {
                deleted: matching,
                unconfirmed: await confirmation([(target ?? tiers).invalidateTags(tags, { required: true })]),
              }
            : await deletion(session, target ?? tiers.global, pattern, matching);
        const doubt = unconfirmed === undefined ? '' : `, and Redis did not confirm all of it: ${unconfirmed.reason}`;
        session.output.report({
          data: { ...subject, deleted, confirmed: unconfirmed === undefined, dryRun: false },
          text: `${deleted} entries ${what} were ended${doubt}`,
        });
        return unconfirmed?.exitCode;
      }),
    );
}

const added = (tag: string, before: readonly string[]): string[] => [...before, tag];

/** @throws {TierkitError} `ERR_CLI_USAGE`: all scopes of a tier cannot be searched as one */
export function scopeOf(
  tiers: Tiers,
  { tier = 'global', scope }: { readonly tier?: string; readonly scope?: string },
): Scope {
  if (tier === 'global' && scope === undefined) return tiers.global;
  if (tier === 'global') throw cliError('ERR_CLI_USAGE', 'the global tier has no scopes: give --tier too');
  if (scope === undefined) throw cliError('ERR_CLI_USAGE', 'a tier of scopes takes --scope as well');
  // Nothing is written here, so that any time to live does for a tier that only services know.
  return tiers.inspection.tiers.includes(tier) ? tiers.tier(tier)(scope) : tiers.tier(tier, { ttl: '1h' })(scope);
}

async function dryRun(session: Session, scope: Scope, pattern: string, progress: Progress): Promise<number> {
  let found = 0;
  const onProgress = (soFar: number): void => {
    found = soFar;
    progress.show(soFar);
  };
  const counted = session.untilAborted(scope.deleteByPattern(pattern, { dryRun: true, required: true, onProgress }));
  const unconfirmed = await confirmation([counted]);
  if (unconfirmed === undefined) return found;
  const message = `Redis did not answer, or refused, while the entries were counted: ${unconfirmed.reason}`;
  throw cliError('ERR_CLI_PARTIAL', message, {}, unconfirmed.error);
}

/** Each batch is deleted and announced by one script: an end in between leaves no instance with what is gone. */
async function deletion(
  session: Session,
  scope: Scope,
  pattern: string,
  matching: number,
): Promise<{ readonly deleted: number; readonly unconfirmed: Unconfirmed | undefined }> {
  const progress = new Progress(session.output, 'ending');
  let deleted = 0;
  const onProgress = (soFar: number): void => {
    deleted = soFar;
    // There may be more by now than were counted.
    progress.show(Math.min(soFar, matching), matching);
  };
  try {
    const done = session.untilAborted(scope.deleteByPattern(pattern, { required: true, onProgress }));
    return { unconfirmed: await confirmation([done]), deleted };
  } finally {
    progress.end();
  }
}

async function countTagged(
  session: Session,
  inspection: Inspection,
  tags: readonly string[],
  place: { readonly tier?: string | undefined; readonly scope?: string | undefined } | undefined,
  progress: Progress,
): Promise<number> {
  const found = new Set<string>();
  for (const tag of tags) {
    for (const at of place === undefined ? inspection.tiers.map((tier) => ({ tier })) : [place]) {
      let cursor: string | undefined;
      do {
        const page = await session.untilAborted(inspection.keys({ ...at, tag, limit: 1_000, cursor }));
        for (const { tier, scope, key } of page.keys) found.add(`${tier}\n${scope}\n${key}`);
        progress.show(found.size);
        ({ cursor } = page);
      } while (cursor !== undefined);
    }
  }
  return found.size;
}
