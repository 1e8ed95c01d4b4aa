import type { JSX } from 'preact';
import { useCallback } from 'preact/hooks';
import type { Instance } from '../../../../src/admin-source.ts';
import type { Api } from '../../api/api.ts';
import * as format from '../../format.ts';
import { usePolled } from '../../live/use-polled.ts';
import { FigureTable } from '../../parts/figure-table.tsx';
import { Panel } from '../../parts/panel.tsx';

const EVERY_MS = 5_000;
const COLUMNS = ['hits', 'misses', 'in process', 'up for'] as const;

/** Who is alive on the same Redis, and what they counted. */
export function InstancesPanel({ api }: { readonly api: Api }): JSX.Element {
  const ask = useCallback(
    (signal: AbortSignal) => api.get<{ instances: readonly Instance[] }>('api/v1/instances', {}, signal),
    [api],
  );
  const { data, error } = usePolled(ask, EVERY_MS);
  return (
    <Panel title="Instances" class="wide">
      {error !== undefined && <p role="alert">{error}</p>}
      <FigureTable
        {...{ label: 'Instances', of: 'instance', columns: COLUMNS }}
        rows={(data?.instances ?? []).map((instance) => ({
          id: instance.id,
          name: (
            <>
              {instance.host}, process {instance.pid} {instance.own && <span class="tag">this one</span>}{' '}
              {!instance.coherent && <span class="tag">not coherent</span>}
            </>
          ),
          cells: [
            format.count(instance.hits),
            format.count(instance.misses),
            format.bytes(instance.l1.bytes),
            format.span(Math.max(0, Date.now() - instance.startedMs)),
          ],
        }))}
      />
    </Panel>
  );
}
