import type { InspectedEntry, ListedKey } from '@tierkit/cache';
import type { JSX } from 'preact';
import { useCallback, useEffect, useRef, useState } from 'preact/hooks';
import { pathSegment } from '../../../../src/path-name.ts';
import { ApiError, messageOf } from '../../api/api.ts';
import type { Session } from '../../api/session.ts';
import { usePolled } from '../../live/use-polled.ts';
import { Confirm } from '../../parts/confirm.tsx';
import { EntryFacts } from './entry-facts.tsx';
import { EntryValue, type ReadEntry } from './entry-value.tsx';

const EVERY_MS = 5_000;

export interface EntryPanelProps {
  readonly session: Session;
  readonly place: ListedKey;
  readonly onClose: () => void;
  readonly onDeleted: () => void;
}

/** One entry: what is known of it, its value for whoever may read it, and its end. */
export function EntryPanel({ session, place, onClose, onDeleted }: EntryPanelProps): JSX.Element {
  const { api } = session;
  const { tier, scope, key } = place;
  const heading = useRef<HTMLHeadingElement>(null);
  const [deleting, setDeleting] = useState(false);
  const [value, setValue] = useState<ReadEntry>();
  const [error, setError] = useState<string>();
  const ask = useCallback(
    async (signal: AbortSignal): Promise<Described> => {
      try {
        const entry = await api.get<InspectedEntry>(`api/v1/cache/entry/${pathSegment(key)}`, { tier, scope }, signal);
        return { entry, at: Date.now() };
      } catch (failure) {
        if (failure instanceof ApiError && failure.status === 404) return { entry: undefined, at: Date.now() };
        throw failure;
      }
    },
    [api, tier, scope, key],
  );
  const { data, error: failed } = usePolled(ask, EVERY_MS);
  useEffect(() => heading.current?.focus(), []);

  const read = async (): Promise<void> => {
    setError(undefined);
    try {
      setValue(await api.get<ReadEntry>(`api/v1/cache/key/${pathSegment(key)}`, { tier, scope }));
    } catch (failure) {
      setError(messageOf(failure));
    }
  };
  const remove = async (): Promise<void> => {
    await api.delete(`api/v1/cache/key/${pathSegment(key)}`, { tier, scope });
    onDeleted();
  };

  const problem = error ?? failed;
  return (
    <section class="panel entry" aria-labelledby="entry-title">
      <h2 id="entry-title" ref={heading} tabIndex={-1} class="key">
        {key}
      </h2>
      {problem !== undefined && <p role="alert">{problem}</p>}
      {data !== undefined && data.entry === undefined && <p role="status">Nothing exists under this key any more.</p>}
      {data?.entry !== undefined && <EntryFacts entry={data.entry} at={data.at} />}
      <div class="buttons">
        {session.can('values') && (
          <button type="button" onClick={() => void read()}>
            {value === undefined ? 'Show the value' : 'Read it again'}
          </button>
        )}
        {session.can('clear') && (
          <button type="button" class="danger" onClick={() => setDeleting(true)}>
            Delete...
          </button>
        )}
        <button type="button" onClick={onClose}>
          Close
        </button>
      </div>
      {value !== undefined && <EntryValue entry={value} />}
      {deleting && (
        <Confirm title="Delete this entry?" action="Delete" onConfirm={remove} onClose={() => setDeleting(false)}>
          <p>
            <code>{key}</code> is deleted in all instances. The next read loads it anew.
          </p>
        </Confirm>
      )}
    </section>
  );
}

interface Described {
  readonly entry: InspectedEntry | undefined;
  /** By this browser's clock, which the time that is left is counted on. */
  readonly at: number;
}
