import type { JSX } from 'preact';
import { useCallback, useState } from 'preact/hooks';
import { pathSegment } from '../../../../src/path-name.ts';
import type { Session } from '../../api/session.ts';
import * as format from '../../format.ts';
import { usePolled } from '../../live/use-polled.ts';
import { Confirm } from '../../parts/confirm.tsx';
import { Panel } from '../../parts/panel.tsx';

interface LockState {
  readonly holders: readonly {
    readonly owner: string;
    readonly mode: string;
    readonly token: string | null;
    readonly ttlMs: number;
  }[];
  readonly waiters: readonly { readonly owner: string; readonly mode: string }[];
  readonly waiting: number;
  readonly lastToken: string;
}

/** Which lock it is. */
export interface LockName {
  readonly kind: 'lock' | 'semaphore';
  readonly name: string;
}

export interface LockPanelProps extends LockName {
  readonly session: Session;
  readonly onClose: () => void;
}

const EVERY_MS = 1_000;

export function LockPanel({ session, kind, name, onClose }: LockPanelProps): JSX.Element {
  const { api } = session;
  const [releasing, setReleasing] = useState(false);
  const path = `api/v1/locks/${pathSegment(name)}`;
  const ask = useCallback((signal: AbortSignal) => api.get<LockState>(path, { kind }, signal), [api, path, kind]);
  const { data, error, refresh } = usePolled(ask, EVERY_MS);
  const release = async (): Promise<void> => {
    await api.delete(path, { kind });
    refresh();
  };
  return (
    <Panel title={kind === 'lock' ? name : `${name}, a semaphore`}>
      {error !== undefined && <p role="alert">{error}</p>}
      {data !== undefined && (
        <>
          <h3>Holders</h3>
          {data.holders.length === 0 && <p class="quiet">Nobody has it.</p>}
          <ul class="plain-list">
            {data.holders.map(({ owner, mode, token, ttlMs }) => (
              <li key={owner}>
                <span class="key">{owner}</span> <span class="tag">{mode}</span>{' '}
                <span class="quiet">
                  {token === null ? '' : `token ${token}, `}
                  {format.span(ttlMs)} left
                </span>
              </li>
            ))}
          </ul>
          <h3>Waiters, in their order: {format.count(data.waiting)}</h3>
          <ol class="plain-list">
            {data.waiters.map(({ owner, mode }) => (
              <li key={owner}>
                <span class="key">{owner}</span> <span class="tag">{mode}</span>
              </li>
            ))}
          </ol>
        </>
      )}
      <div class="buttons">
        {session.can('operate') && (
          <button
            type="button"
            class="danger"
            disabled={error === undefined && (data === undefined || data.holders.length === 0)}
            onClick={() => setReleasing(true)}
          >
            Release...
          </button>
        )}
        <button type="button" onClick={onClose}>
          Close
        </button>
      </div>
      {releasing && (
        <Confirm
          title={`Release this ${kind}?`}
          action="Release"
          onConfirm={release}
          onClose={() => setReleasing(false)}
        >
          <p>
            <code>{name}</code> is taken away from whoever has it. Until they notice, two may work at once: only what
            checks the fencing token is protected.
          </p>
        </Confirm>
      )}
    </Panel>
  );
}
