import type { UsageReport } from '@tierkit/cache';
import { table } from '../output/table.ts';
import { bytes, percent, time } from '../output/units.ts';
import { adminOption, type Registrar } from '../run/registrar.ts';
import type { Session } from '../run/session.ts';
import { wholeNumber } from '../run/whole-number.ts';

export function topCommand({ command, action }: Registrar): void {
  command(
    'top',
    'keys that a running service is asked for most, that cost it most, that it keeps for nothing (--admin)',
  )
    .addOption(adminOption())
    .option('--limit <count>', 'how many of each, up to 200', '20')
    .action(
      action(async (session: Session, { limit }: { readonly limit: string }) => {
        const api = session.requireAdminApi('which keys it is asked for');
        const usage = await api.get<UsageReport>('/api/v1/cache/usage', { limit: wholeNumber(limit, '--limit', 200) });
        const { asked, costly, unread } = usage;
        const parts = [
          'Asked for most of late',
          table(
            ['SHARE', 'TIER', 'KEY'],
            asked.map(({ share, tier, key }) => [percent(share), tier, key]),
          ),
          '\nCostly to load',
          table(
            ['LOADS', 'FAILED', 'TOTAL', 'LONGEST', 'TIER', 'KEY'],
            costly.map((one) => [one.loads, one.failures, time(one.totalMs), time(one.longestMs), one.tier, one.key]),
          ),
          '\nKept in process and never asked for there',
          table(
            ['TIMES', 'SIZE', 'TIER', 'KEY'],
            unread.map((one) => [one.times, bytes(one.bytes), one.tier, one.key]),
          ),
        ];
        session.output.report({ data: { source: 'service', ...usage }, text: parts.join('\n') });
        return undefined;
      }),
    );
}
