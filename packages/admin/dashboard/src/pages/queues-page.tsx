import type { JSX } from 'preact';
import { useCallback } from 'preact/hooks';
import { usePolled } from '../live/use-polled.ts';
import { PageTitle } from '../parts/page-title.tsx';
import type { PageProps } from '../pages.ts';
import { QueuePanel, type Queue } from './queues/queue-panel.tsx';

const EVERY_MS = 2_000;

/** Durable streams and write-behind queues: how far they are, and what they gave up. */
export function QueuesPage({ session }: PageProps): JSX.Element {
  const { api } = session;
  const ask = useCallback(
    (signal: AbortSignal) => api.get<{ queues: readonly Queue[] }>('api/v1/queues', {}, signal),
    [api],
  );
  const { data, error, refresh } = usePolled(ask, EVERY_MS);
  return (
    <>
      <PageTitle>Queues</PageTitle>
      {error !== undefined && <p role="alert">{error}</p>}
      {data?.queues.length === 0 && <p class="quiet">This service uses no durable streams and no write-behind.</p>}
      <div class="panels">
        {(data?.queues ?? []).map((queue) => (
          <QueuePanel key={queue.name} session={session} queue={queue} onChanged={refresh} />
        ))}
      </div>
    </>
  );
}
