import type { TopKey } from '@tierkit/cache';
import type { JSX } from 'preact';
import { useCallback } from 'preact/hooks';
import type { Api } from '../../api/api.ts';
import * as format from '../../format.ts';
import { usePolled } from '../../live/use-polled.ts';
import { KeyTable } from '../../parts/key-table.tsx';

const EVERY_MS = 3_000;

/** What this instance is asked for most, from samples of its reads. */
export function TopKeysPanel({ api }: { readonly api: Api }): JSX.Element {
  const ask = useCallback(
    (signal: AbortSignal) => api.get<{ keys: readonly TopKey[] }>('api/v1/cache/top-keys', { limit: 10 }, signal),
    [api],
  );
  const { data, error } = usePolled(ask, EVERY_MS);
  return (
    <KeyTable
      title="Top keys"
      columns={['share of reads']}
      rows={(data?.keys ?? []).map(({ tier, key, share }) => ({ tier, key, cells: [format.percent(share)] }))}
      error={error}
    />
  );
}
