import type { JSX } from 'preact';
import { useCallback } from 'preact/hooks';
import type { Api } from '../../api/api.ts';
import * as format from '../../format.ts';
import { usePolled } from '../../live/use-polled.ts';
import { FigureTable } from '../../parts/figure-table.tsx';
import { Panel } from '../../parts/panel.tsx';
import type { LockName } from './lock-panel.tsx';

interface HeldLock extends LockName {
  readonly holders: number;
  readonly waiting: number;
  readonly foreign: boolean;
}

export interface HeldLocksPanelProps {
  readonly api: Api;
  readonly onWatch: (lock: LockName) => void;
}

const EVERY_MS = 3_000;
const SHOWN = 200;
const COLUMNS = ['holders', 'waiting'] as const;

/** Locks and semaphores that somebody holds or waits for, in all processes; a look at one is a click away. */
export function HeldLocksPanel({ api, onWatch }: HeldLocksPanelProps): JSX.Element {
  const ask = useCallback(
    (signal: AbortSignal) =>
      api.get<{ locks: readonly HeldLock[]; cursor?: string }>('api/v1/locks', { limit: SHOWN }, signal),
    [api],
  );
  const { data, error } = usePolled(ask, EVERY_MS);
  const locks = [...(data?.locks ?? [])].sort((a, b) => (a.name < b.name ? -1 : 1));
  return (
    <Panel title="Held or waited for">
      {error !== undefined && <p role="alert">{error}</p>}
      {data !== undefined && locks.length === 0 && <p class="quiet">No lock at the moment.</p>}
      {locks.length > 0 && (
        <FigureTable
          {...{ label: 'Locks', of: 'lock', columns: COLUMNS }}
          rows={locks.map(({ kind, name, holders, waiting, foreign }) => ({
            id: `${kind} ${name}`,
            name: (
              <>
                <button type="button" class="key" onClick={() => onWatch({ kind, name })}>
                  {name}
                </button>{' '}
                {kind === 'semaphore' && <span class="tag">semaphore</span>}{' '}
                {foreign && <span class="tag">written by something else</span>}
              </>
            ),
            cells: [format.count(holders), format.count(waiting)],
          }))}
        />
      )}
      {data?.cursor !== undefined && <p class="quiet">There are more. Name one to see it.</p>}
    </Panel>
  );
}
