import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import type { Session } from '../../api/session.ts';
import * as format from '../../format.ts';
import { Facts } from '../../parts/facts.tsx';
import { Panel } from '../../parts/panel.tsx';
import { DeadLetters } from './dead-letters.tsx';

export interface Queue {
  readonly name: string;
  readonly kind: 'stream' | 'write-behind';
  /** A code; then there are no figures. */
  readonly error?: string;
  readonly waiting?: number;
  readonly pending?: number;
  readonly deadLetters?: number;
  readonly oldestMs?: number;
  readonly groups?: readonly { readonly name: string; readonly waiting?: number; readonly pending: number }[];
}

export interface QueuePanelProps {
  readonly session: Session;
  readonly queue: Queue;
  readonly onChanged: () => void;
}

export function QueuePanel({ session, queue, onChanged }: QueuePanelProps): JSX.Element {
  const [open, setOpen] = useState(false);
  const { error, deadLetters = 0 } = queue;
  return (
    <Panel title={queue.name}>
      {error !== undefined && <p role="alert">Redis does not tell how this one is: {error}</p>}
      <Facts facts={factsOf(queue)} />
      {session.can('names') && deadLetters > 0 && (
        <div class="buttons">
          <button type="button" aria-expanded={open} onClick={() => setOpen(!open)}>
            {open ? 'Hide dead letters' : 'Show dead letters'}
          </button>
        </div>
      )}
      {open && deadLetters > 0 && <DeadLetters session={session} queue={queue.name} onChanged={onChanged} />}
    </Panel>
  );
}

function factsOf(queue: Queue): (readonly [string, string])[] {
  const { kind, waiting, pending, deadLetters, oldestMs, groups = [] } = queue;
  return [
    ['kind', kind === 'stream' ? 'durable stream' : 'write-behind'],
    ...counted('waiting', waiting),
    ...counted('being worked on', pending),
    ...counted('dead letters', deadLetters),
    ...(oldestMs === undefined ? [] : ([['oldest', format.span(oldestMs)]] as const)),
    ...groups.map((group) => {
      const waits = group.waiting === undefined ? '' : `${format.count(group.waiting)} waiting, `;
      return [`group ${group.name}`, `${waits}${format.count(group.pending)} being worked on`] as const;
    }),
  ];
}

function counted(name: string, count: number | undefined): (readonly [string, string])[] {
  return count === undefined ? [] : [[name, format.count(count)]];
}
