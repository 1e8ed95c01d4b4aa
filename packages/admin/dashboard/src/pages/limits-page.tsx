import type { JSX } from 'preact';
import { useCallback, useState } from 'preact/hooks';
import type { Api } from '../api/api.ts';
import { Chart } from '../charts/chart.tsx';
import * as format from '../format.ts';
import { usePolled, type Polled } from '../live/use-polled.ts';
import { PageTitle } from '../parts/page-title.tsx';
import { Panel } from '../parts/panel.tsx';
import type { PageProps } from '../pages.ts';
import { textField } from '../text-field.ts';
import { LimiterPanel, type Limiter } from './limits/limiter-panel.tsx';
import { QuotaPanel } from './limits/quota-panel.tsx';

interface Parts {
  readonly limiters: readonly Limiter[];
  readonly quotas: readonly string[];
}

const EVERY_MS = 10_000;

/** The limiters and quotas of this instance, and how one subject stands with each. */
export function LimitsPage({ session, live: { history, stats } }: PageProps): JSX.Element {
  const { data, error } = useParts(session.api);
  const [subject, setSubject] = useState('');
  const none = data !== undefined && data.limiters.length + data.quotas.length === 0;
  return (
    <>
      <PageTitle>Limits</PageTitle>
      {error !== undefined && <p role="alert">{error}</p>}
      {none && <p class="quiet">This service uses neither limiters nor quotas.</p>}
      {!none && session.can('names') && (
        <form
          class="panel search"
          onSubmit={(event) => {
            event.preventDefault();
            setSubject(textField(event.currentTarget, 'subject'));
          }}
        >
          <label>
            Subject: a user, a tenant, an address
            <input name="subject" autocomplete="off" spellcheck={false} />
          </label>
          <button type="submit" class="main">
            Look up
          </button>
        </form>
      )}
      <div class="panels below">
        {stats?.decisions !== undefined && stats.decisions.length > 0 && (
          <Chart title="Decisions per second" series={history.decisions()} format={format.rate} />
        )}
        {(data?.limiters ?? []).map((limiter) => (
          <LimiterPanel
            key={limiter.name}
            session={session}
            limiter={limiter}
            subject={subject}
            decisions={stats?.decisions ?? []}
          />
        ))}
        {(data?.quotas ?? []).map((name) =>
          subject === '' ? (
            <Panel key={name} title={`Quota ${name}`}>
              <p class="quiet">Name a subject to see what it has used.</p>
            </Panel>
          ) : (
            <QuotaPanel key={name} session={session} name={name} subject={subject} />
          ),
        )}
      </div>
    </>
  );
}

function useParts(api: Api): Polled<Parts> {
  const ask = useCallback(
    async (signal: AbortSignal): Promise<Parts> => {
      const [{ limiters }, { quotas }] = await Promise.all([
        api.get<Pick<Parts, 'limiters'>>('api/v1/limiters', {}, signal),
        api.get<Pick<Parts, 'quotas'>>('api/v1/quotas', {}, signal),
      ]);
      return { limiters, quotas };
    },
    [api],
  );
  return usePolled(ask, EVERY_MS);
}
