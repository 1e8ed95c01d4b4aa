import type { JSX } from 'preact';
import { useCallback } from 'preact/hooks';
import { Chart } from '../charts/chart.tsx';
import * as format from '../format.ts';
import { usePolled } from '../live/use-polled.ts';
import { PageTitle } from '../parts/page-title.tsx';
import type { PageProps } from '../pages.ts';
import { ChangesPanel } from './overview/changes-panel.tsx';
import { FigureTiles } from './overview/figure-tiles.tsx';
import { HealthPanel, type DetailedHealth } from './overview/health-panel.tsx';
import { InstancesPanel } from './overview/instances-panel.tsx';
import { TiersPanel } from './overview/tiers-panel.tsx';
import { TopKeysPanel } from './overview/top-keys-panel.tsx';

const HEALTH_EVERY_MS = 5_000;

export function OverviewPage({ session, live }: PageProps): JSX.Element {
  const { api } = session;
  const askHealth = useCallback((signal: AbortSignal) => api.get<DetailedHealth>('health/detailed', {}, signal), [api]);
  const health = usePolled(askHealth, HEALTH_EVERY_MS);
  const { history, stats } = live;
  return (
    <>
      <PageTitle>Overview</PageTitle>
      <FigureTiles live={live} health={health.data} />
      <div class="panels">
        <Chart title="Hit rate" series={history.hitRates()} format={format.percent} top={1} />
        <Chart title="Reads per second, by answer" series={history.answers()} format={format.rate} />
        {stats?.latencies !== undefined && (
          <Chart title="Reads beyond this process" series={history.latencies()} format={format.span} />
        )}
        <Chart title="Time of a load" series={history.loadTimes()} format={format.span} />
        <Chart title="Loads in flight" series={history.loading()} format={format.rate} />
        <Chart title="Memory in process (L1)" series={history.l1Bytes()} format={format.bytes} />
        {stats !== undefined && <TiersPanel tiers={stats.tiers} />}
        {session.can('names') && <TopKeysPanel api={api} />}
        {session.can('names') && <ChangesPanel live={live} />}
        <HealthPanel health={health.data} error={health.error} />
        <InstancesPanel api={api} />
      </div>
    </>
  );
}
