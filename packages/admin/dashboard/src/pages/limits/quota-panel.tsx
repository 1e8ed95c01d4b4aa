import type { JSX } from 'preact';
import { useCallback } from 'preact/hooks';
import { segment, type Api } from '../../api/api.ts';
import * as format from '../../format.ts';
import { usePolled } from '../../live/use-polled.ts';
import { Bar } from '../../parts/bar.tsx';
import { Panel } from '../../parts/panel.tsx';

interface Usage {
  readonly usage: Readonly<Record<string, Readonly<Record<string, Period>>>>;
}

interface Period {
  readonly used: number;
  readonly held: number;
  readonly limit: number | null;
  readonly resetMs: number | null;
}

export interface QuotaPanelProps {
  readonly api: Api;
  readonly name: string;
  readonly subject: string;
}

const EVERY_MS = 2_000;

/** What a subject has used of a quota, by metric and period. */
export function QuotaPanel({ api, name, subject }: QuotaPanelProps): JSX.Element {
  const path = `api/v1/quotas/${segment(name)}/subjects/${segment(subject)}`;
  const ask = useCallback((signal: AbortSignal) => api.get<Usage>(path, {}, signal), [api, path]);
  const { data, error } = usePolled(ask, EVERY_MS);
  return (
    <Panel title={`Quota ${name}`}>
      <h3 class="key">{subject}</h3>
      {error !== undefined && <p role="alert">{error}</p>}
      {Object.entries(data?.usage ?? {}).flatMap(([metric, periods]) =>
        Object.entries(periods).map(([period, state]) => (
          <Bar
            key={`${metric} ${period}`}
            label={`${metric}, ${period}`}
            used={state.used + state.held}
            limit={state.limit}
            text={textOf(state)}
          />
        )),
      )}
    </Panel>
  );
}

function textOf({ used, held, limit, resetMs }: Period): string {
  const of = limit === null ? ', no limit' : ` of ${format.count(limit)}`;
  const reserved = held === 0 ? '' : `, ${format.count(held)} held`;
  return `${format.count(used)}${of}${reserved}${resetMs === null ? '' : `, anew in ${format.span(resetMs)}`}`;
}
