import type { JSX } from 'preact';
import { useCallback } from 'preact/hooks';
import type { AuditEvent } from '../../../src/access/audit.ts';
import * as format from '../format.ts';
import { usePolled } from '../live/use-polled.ts';
import { PageTitle } from '../parts/page-title.tsx';
import type { PageProps } from '../pages.ts';

const EVERY_MS = 5_000;

/** Who changed something, read a value, or was refused: the latest calls to this process. */
export function AuditPage({ session: { api } }: PageProps): JSX.Element {
  const ask = useCallback(
    (signal: AbortSignal) => api.get<{ events: readonly AuditEvent[] }>('api/v1/audit', { limit: 200 }, signal),
    [api],
  );
  const { data, error } = usePolled(ask, EVERY_MS);
  return (
    <>
      <PageTitle>Audit</PageTitle>
      {error !== undefined && <p role="alert">{error}</p>}
      <div class="panel scrolls" tabIndex={0} role="group" aria-label="Audit events, a wide table">
        <table>
          <thead>
            <tr>
              {['time', 'who', 'what', 'with', 'status'].map((name) => (
                <th key={name} scope="col">
                  {name}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {(data?.events ?? []).map(({ at, actor, operation, method, path, parameters, status }, index) => (
              <tr key={`${at} ${index}`}>
                <td>
                  <time>{format.timeOfDay(at)}</time>
                </td>
                <td>{actor ?? 'unknown'}</td>
                <td>{operation ?? `${method} ${path}`}</td>
                <td class="key">{JSON.stringify(parameters)}</td>
                <td>{status}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </>
  );
}
