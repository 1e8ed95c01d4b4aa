import type { KeyPage, ListedKey } from '@tierkit/cache';
import type { JSX } from 'preact';
import { useCallback, useEffect, useRef, useState } from 'preact/hooks';
import { messageOf } from '../api/api.ts';
import * as format from '../format.ts';
import { PageTitle } from '../parts/page-title.tsx';
import type { PageProps } from '../pages.ts';
import { EndEntries } from './keys/end-entries.tsx';
import { EntryPanel } from './keys/entry-panel.tsx';
import { KeySearch, type Search } from './keys/key-search.tsx';

const PAGE_SIZE = 100;
const EVERYTHING: Search = { tier: 'global', scope: '', pattern: '*', tag: '' };

/** Finds entries by name, shows what is known of one, and ends them. */
export function KeysPage({ session, live }: PageProps): JSX.Element {
  const { api } = session;
  const [search, setSearch] = useState(EVERYTHING);
  const [found, setFound] = useState<Found>({ keys: [], busy: true });
  const [chosen, setChosen] = useState<ListedKey>();
  const opener = useRef<HTMLElement>(undefined);
  const newest = useRef(0);

  const load = useCallback(
    async (from: Search, cursor?: string): Promise<void> => {
      const round = ++newest.current;
      setFound((before) => ({ ...before, busy: true, error: undefined }));
      try {
        const page = await api.get<KeyPage>('api/v1/cache/keys', { ...from, limit: PAGE_SIZE, cursor });
        if (round !== newest.current) return;
        setFound((before) => ({
          keys: distinct(cursor === undefined ? page.keys : [...before.keys, ...page.keys]),
          cursor: page.cursor,
          busy: false,
        }));
      } catch (error) {
        if (round === newest.current) setFound({ keys: [], busy: false, error: messageOf(error) });
      }
    },
    [api],
  );
  useEffect(() => void load(search), [load, search]);
  useEffect(() => {
    if (chosen !== undefined || opener.current === undefined) return;
    // The entry was closed: back to where it was opened, or to the list if that has gone.
    const back = opener.current.isConnected ? opener.current : document.querySelector<HTMLElement>('#found');
    back?.focus();
    opener.current = undefined;
  }, [chosen]);

  return (
    <>
      <PageTitle>Keys</PageTitle>
      <KeySearch
        tiers={Object.keys(live.stats?.tiers ?? { global: {} })}
        onSearch={(given) => setSearch({ ...given })}
      />
      {session.can('clear') && <EndEntries api={api} search={search} onDone={() => void load(search)} />}
      <div class={chosen === undefined ? 'browser' : 'browser two'}>
        <section class="panel" aria-label="Keys found">
          <p id="found" role="status" tabIndex={-1}>
            {summary(found)}
          </p>
          {found.error !== undefined && <p role="alert">{found.error}</p>}
          <ul class="keys">
            {found.keys.map((key) => (
              <li key={idOf(key)}>
                <button
                  type="button"
                  class="plain"
                  aria-current={chosen !== undefined && idOf(chosen) === idOf(key) ? 'true' : undefined}
                  onClick={(event) => {
                    opener.current = event.currentTarget;
                    setChosen(key);
                  }}
                >
                  <span class="key">
                    {key.scope !== undefined && <span class="quiet">{key.scope} </span>}
                    {key.key}
                  </span>
                  {key.tags.map((tag) => (
                    <span key={tag} class="tag">
                      {tag}
                    </span>
                  ))}
                </button>
              </li>
            ))}
          </ul>
          {found.cursor !== undefined && (
            <button type="button" disabled={found.busy} onClick={() => void load(search, found.cursor)}>
              Load more
            </button>
          )}
        </section>
        {chosen !== undefined && (
          <EntryPanel
            key={idOf(chosen)}
            session={session}
            place={chosen}
            onClose={() => setChosen(undefined)}
            onDeleted={() => {
              setFound((before) => ({ ...before, keys: before.keys.filter((key) => idOf(key) !== idOf(chosen)) }));
              setChosen(undefined);
            }}
          />
        )}
      </div>
    </>
  );
}

interface Found {
  readonly keys: readonly ListedKey[];
  readonly cursor?: string | undefined;
  readonly busy: boolean;
  readonly error?: string | undefined;
}

function summary({ keys, cursor, busy, error }: Found): string {
  if (error !== undefined) return '';
  if (busy && keys.length === 0) return 'Searching...';
  const number = `${format.count(keys.length)} ${keys.length === 1 ? 'key' : 'keys'}`;
  return cursor === undefined ? number : `${number}, and there may be more`;
}

/** A listing may give a key twice. */
function distinct(keys: readonly ListedKey[]): ListedKey[] {
  return [...new Map(keys.map((key) => [idOf(key), key])).values()];
}

function idOf({ tier, scope, key }: ListedKey): string {
  return JSON.stringify([tier, scope, key]);
}
