import type { JSX } from 'preact';
import { useCallback, useState } from 'preact/hooks';
import { ApiError } from '../api/api.ts';
import { textField } from '../text-field.ts';
import { usePolled } from '../live/use-polled.ts';
import { PageTitle } from '../parts/page-title.tsx';
import type { PageProps } from '../pages.ts';
import { HeldLocksPanel } from './locks/held-locks-panel.tsx';
import { LockPanel, type LockName } from './locks/lock-panel.tsx';
import { Tiles } from '../parts/tiles.tsx';
import * as format from '../format.ts';

type Figures = Readonly<Record<'held' | 'waiting' | 'acquired' | 'waited' | 'timeouts' | 'lost', number>>;

const EVERY_MS = 2_000;
const NAMES: Readonly<Record<keyof Figures, string>> = {
  held: 'Held now',
  waiting: 'Waiting now',
  acquired: 'Acquired',
  waited: 'Had to wait',
  timeouts: 'Timed out',
  lost: 'Lost',
};

/** What this instance does with locks; which of them are held in all processes, by whom, and who waits for them. */
export function LocksPage({ session }: PageProps): JSX.Element {
  const { api } = session;
  const [watched, setWatched] = useState<readonly LockName[]>([]);
  const ask = useCallback(
    async (signal: AbortSignal): Promise<Figures | null> => {
      try {
        return await api.get<Figures>('api/v1/lock-stats', {}, signal);
      } catch (error) {
        if (error instanceof ApiError && error.status === 404) return null;
        throw error;
      }
    },
    [api],
  );
  const { data, error } = usePolled(ask, EVERY_MS);
  const close = ({ kind, name }: LockName): void =>
    setWatched((before) => before.filter((other) => other.kind !== kind || other.name !== name));
  const watch = (lock: LockName): void => {
    close(lock);
    setWatched((before) => [lock, ...before]);
  };
  return (
    <>
      <PageTitle>Locks</PageTitle>
      {error !== undefined && <p role="alert">{error}</p>}
      {data === null && <p class="quiet">This service uses no locks.</p>}
      {data !== null && data !== undefined && (
        <>
          <Tiles
            tiles={(Object.keys(NAMES) as (keyof Figures)[]).map((name) => [NAMES[name], format.count(data[name])])}
          />
          {session.can('names') && (
            <form
              class="panel search"
              onSubmit={(event) => {
                event.preventDefault();
                const name = textField(event.currentTarget, 'name');
                if (name !== '') watch({ kind: 'lock', name });
                event.currentTarget.reset();
              }}
            >
              <label>
                Name of a lock
                <input name="name" required autocomplete="off" spellcheck={false} />
              </label>
              <button type="submit" class="main">
                Watch
              </button>
            </form>
          )}
          <div class="panels below">
            {watched.map((lock) => (
              <LockPanel key={`${lock.kind} ${lock.name}`} session={session} {...lock} onClose={() => close(lock)} />
            ))}
            {session.can('names') && <HeldLocksPanel api={api} onWatch={watch} />}
          </div>
        </>
      )}
    </>
  );
}
