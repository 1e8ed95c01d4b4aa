import type { JSX } from 'preact';
import { useCallback, useState } from 'preact/hooks';
import { ApiError } from '../api/api.ts';
import { textField } from '../text-field.ts';
import { usePolled } from '../live/use-polled.ts';
import { PageTitle } from '../parts/page-title.tsx';
import { Panel } from '../parts/panel.tsx';
import type { PageProps } from '../pages.ts';
import { LockPanel } from './locks/lock-panel.tsx';
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

/** What this instance does with locks, and who has a lock and waits for it, in all processes. */
export function LocksPage({ session }: PageProps): JSX.Element {
  const { api } = session;
  const [watched, setWatched] = useState<readonly string[]>([]);
  const ask = useCallback(
    async (signal: AbortSignal): Promise<Figures | null> => {
      try {
        return await api.get<Figures>('api/v1/locks', {}, signal);
      } catch (error) {
        if (error instanceof ApiError && error.status === 404) return null;
        throw error;
      }
    },
    [api],
  );
  const { data, error } = usePolled(ask, EVERY_MS);
  const watch = (form: HTMLFormElement): void => {
    const name = textField(form, 'name');
    if (name !== '') setWatched((before) => [name, ...before.filter((other) => other !== name)]);
    form.reset();
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
                watch(event.currentTarget);
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
            {watched.map((name) => (
              <LockPanel
                key={name}
                session={session}
                name={name}
                onClose={() => setWatched((before) => before.filter((other) => other !== name))}
              />
            ))}
            {watched.length === 0 && (
              <Panel title="Holders and waiters">
                <p class="quiet">Name a lock to see who has it and who waits for it.</p>
              </Panel>
            )}
          </div>
        </>
      )}
    </>
  );
}
