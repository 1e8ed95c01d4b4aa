import type { UsageReport } from '@tierkit/cache';
import type { JSX } from 'preact';
import { useCallback } from 'preact/hooks';
import { Chart } from '../charts/chart.tsx';
import * as format from '../format.ts';
import { hitRatesByMinute, type HourOfHits } from '../live/hour-of-hits.ts';
import { usePolled } from '../live/use-polled.ts';
import { PageTitle } from '../parts/page-title.tsx';
import type { PageProps } from '../pages.ts';
import { KeyTable } from '../parts/key-table.tsx';

const EVERY_MS = 10_000;
const HISTORY_EVERY_MS = 30_000;

/** How keys are used: the last hour, what costs most to load, and what is kept for nothing. */
export function UsagePage({ session: { api } }: PageProps): JSX.Element {
  const askUsage = useCallback(
    (signal: AbortSignal) => api.get<UsageReport>('api/v1/cache/usage', { limit: 20 }, signal),
    [api],
  );
  const askHour = useCallback((signal: AbortSignal) => api.get<HourOfHits>('api/v1/cache/history', {}, signal), [api]);
  const usage = usePolled(askUsage, EVERY_MS);
  const hour = usePolled(askHour, HISTORY_EVERY_MS);
  const error = usage.error ?? hour.error;
  return (
    <>
      <PageTitle>Usage</PageTitle>
      {error !== undefined && <p role="alert">{error}</p>}
      <div class="panels">
        {hour.data !== undefined && (
          <Chart
            title="Hit rate by minute, the last hour"
            series={hitRatesByMinute(hour.data)}
            format={format.percent}
            top={1}
          />
        )}
        <KeyTable
          title="Asked for most"
          columns={['share of reads']}
          rows={(usage.data?.asked ?? []).map(({ tier, key, share }) => ({
            tier,
            key,
            cells: [format.percent(share)],
          }))}
        />
        <KeyTable
          title="Costs most to load"
          columns={['loads', 'failed', 'all of them', 'longest']}
          rows={(usage.data?.costly ?? []).map(({ tier, key, loads, failures, totalMs, longestMs }) => ({
            tier,
            key,
            cells: [format.count(loads), format.count(failures), format.span(totalMs), format.span(longestMs)],
          }))}
        />
        <KeyTable
          title="Kept in process for nothing"
          columns={['times', 'bytes']}
          rows={(usage.data?.unread ?? []).map(({ tier, key, times, bytes }) => ({
            tier,
            key,
            cells: [format.count(times), format.bytes(bytes)],
          }))}
        />
      </div>
    </>
  );
}
