import type { JSX } from 'preact';
import { useCallback } from 'preact/hooks';
import { pathSegment } from '../../../../src/path-name.ts';
import type { Session } from '../../api/session.ts';
import * as format from '../../format.ts';
import { usePolled } from '../../live/use-polled.ts';
import { AnewButton } from '../../parts/anew-button.tsx';
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
  readonly session: Session;
  readonly name: string;
  readonly subject: string;
}

const EVERY_MS = 2_000;

/** What a subject has used of a quota, by metric and period. */
export function QuotaPanel({ session, name, subject }: QuotaPanelProps): JSX.Element {
  const { api } = session;
  const path = `api/v1/quotas/${pathSegment(name)}/subjects/${pathSegment(subject)}`;
  const ask = useCallback((signal: AbortSignal) => api.get<Usage>(path, {}, signal), [api, path]);
  const { data, error, refresh } = usePolled(ask, EVERY_MS);
  const reset = async (): Promise<void> => {
    await api.delete(path);
    refresh();
  };
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
      {session.can('operate') && (
        <AnewButton onReset={reset}>
          What <code>{subject}</code> has used of <code>{name}</code> in the periods of now is forgotten. Gauges and
          what is held stay.
        </AnewButton>
      )}
    </Panel>
  );
}

function textOf({ used, held, limit, resetMs }: Period): string {
  const of = limit === null ? ', no limit' : ` of ${format.count(limit)}`;
  const reserved = held === 0 ? '' : `, ${format.count(held)} held`;
  return `${format.count(used)}${of}${reserved}${resetMs === null ? '' : `, anew in ${format.span(resetMs)}`}`;
}
