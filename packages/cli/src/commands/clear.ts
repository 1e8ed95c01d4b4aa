import { cliError } from '../errors.ts';
import { printable } from '../output/printable.ts';
import { confirm } from '../run/confirm.ts';
import { confirmation } from '../run/confirmed.ts';
import { withPlaceOptions, yesOption, type Registrar } from '../run/registrar.ts';
import type { Session } from '../run/session.ts';
import { scopeOf } from './invalidate.ts';

interface ClearOptions {
  readonly tier?: string;
  readonly scope?: string;
  readonly all?: boolean;
  readonly yes?: boolean;
}

const REQUIRED = { required: true } as const;

export function clearCommand({ command, action }: Registrar): void {
  withPlaceOptions(command('clear', 'ends all entries of a scope, of a tier, or of all tiers'))
    .option('--all', 'all tiers that are built in or that CACHE_TTL_... names')
    .addOption(yesOption())
    .action(
      action(async (session: Session, { tier, scope, all = false, yes }: ClearOptions) => {
        if (all === (tier !== undefined) || (all && scope !== undefined)) {
          throw cliError('ERR_CLI_USAGE', 'clear takes --tier, --tier and --scope, or --all');
        }
        const tiers = await session.tiers();
        const names = tier === undefined ? tiers.inspection.tiers : [tier];
        const cleared = scope === undefined ? names : [`${tier}:${scope}`];
        const question = `This ends all entries of ${cleared.map((name) => printable(name, 200)).join(', ')}.`;
        await confirm(session.asker, { question, yes, signal: session.signal });
        const unconfirmed = await confirmation(
          scope === undefined
            ? names.map((name) => session.untilAborted(tiers.inspection.clearTier(name, REQUIRED)))
            : [scopeOf(tiers, { tier: tier ?? 'global', scope }).clear(REQUIRED)],
        );
        session.output.report({
          data: { cleared, confirmed: unconfirmed === undefined },
          text:
            unconfirmed === undefined
              ? `cleared: ${cleared.map((name) => printable(name)).join(', ')}`
              : `Redis did not confirm it, and it may have taken effect in part: ${unconfirmed.reason}`,
        });
        return unconfirmed?.exitCode;
      }),
    );
}
