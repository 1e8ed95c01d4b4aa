import type { TopKey } from '@tierkit/cache';
import type { JSX } from 'preact';
import { useCallback } from 'preact/hooks';
import type { Api } from '../../api/api.ts';
import * as format from '../../format.ts';
import { usePolled } from '../../live/use-polled.ts';
import { Panel } from '../../parts/panel.tsx';

const EVERY_MS = 3_000;

/** What this instance is asked for most, from samples of its reads. */
export function TopKeysPanel({ api }: { readonly api: Api }): JSX.Element {
  const ask = useCallback(
    (signal: AbortSignal) => api.get<{ keys: readonly TopKey[] }>('api/v1/cache/top-keys', { limit: 10 }, signal),
    [api],
  );
  const { data, error } = usePolled(ask, EVERY_MS);
  const keys = data?.keys ?? [];
  return (
    <Panel title="Top keys">
      {error !== undefined && <p role="alert">{error}</p>}
      {keys.length === 0 ? (
        <p class="quiet">No reads yet.</p>
      ) : (
        <table>
          <thead>
            <tr>
              <th scope="col">key</th>
              <th scope="col" class="number">
                share of reads
              </th>
            </tr>
          </thead>
          <tbody>
            {keys.map(({ tier, key, share }) => (
              <tr key={`${tier} ${key}`}>
                <th scope="row" class="key">
                  {key}
                </th>
                <td class="number">{format.percent(share)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </Panel>
  );
}
