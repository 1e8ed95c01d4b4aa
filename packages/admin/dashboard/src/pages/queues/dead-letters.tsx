import type { JSX } from 'preact';
import { useCallback, useState } from 'preact/hooks';
import { pathSegment } from '../../../../src/path-name.ts';
import type { Session } from '../../api/session.ts';
import * as format from '../../format.ts';
import { usePolled } from '../../live/use-polled.ts';
import { Confirm } from '../../parts/confirm.tsx';

interface DeadLetter {
  readonly id: string;
  readonly group?: string;
  readonly attempts: number;
  readonly reason: string;
  readonly payload?: unknown;
}

export interface DeadLettersProps {
  readonly session: Session;
  readonly queue: string;
  readonly onChanged: () => void;
}

/** One letter, or all of them where no id is given. */
interface Question {
  readonly act: 'replay' | 'remove';
  readonly id?: string;
}

const EVERY_MS = 5_000;

/** What a queue gave up, the oldest first; it can be put back or discarded. */
export function DeadLetters({ session, queue, onChanged }: DeadLettersProps): JSX.Element {
  const { api } = session;
  const [question, setQuestion] = useState<Question>();
  const path = `api/v1/queues/${pathSegment(queue)}/dead-letters`;
  const ask = useCallback(
    (signal: AbortSignal) => api.get<{ deadLetters: readonly DeadLetter[] }>(path, { limit: 100 }, signal),
    [api, path],
  );
  const { data, error, refresh } = usePolled(ask, EVERY_MS);
  const end = async ({ act, id }: Question): Promise<void> => {
    await api.post(`${path}/${act}`, {}, id === undefined ? {} : { ids: [id] });
    refresh();
    onChanged();
  };
  const operates = session.can('operate');
  return (
    <>
      {error !== undefined && <p role="alert">{error}</p>}
      <ul class="plain-list">
        {(data?.deadLetters ?? []).map(({ id, group, attempts, reason, payload }) => (
          <li key={id} class="letter">
            <span class="key">{id}</span> {group !== undefined && <span class="tag">{group}</span>}{' '}
            <span class="quiet">{`${format.count(attempts)} attempts: ${reason}`}</span>
            {payload !== undefined && <pre>{JSON.stringify(payload, null, 2)}</pre>}
            {operates && (
              <div class="buttons">
                <button type="button" aria-label={`Replay ${id}`} onClick={() => setQuestion({ act: 'replay', id })}>
                  Replay...
                </button>
                <button
                  type="button"
                  class="danger"
                  aria-label={`Discard ${id}`}
                  onClick={() => setQuestion({ act: 'remove', id })}
                >
                  Discard...
                </button>
              </div>
            )}
          </li>
        ))}
      </ul>
      {operates && (
        <div class="buttons">
          <button type="button" onClick={() => setQuestion({ act: 'replay' })}>
            Replay all...
          </button>
        </div>
      )}
      {question !== undefined && (
        <Confirm
          title={question.act === 'replay' ? 'Put it back?' : 'Discard it for good?'}
          action={question.act === 'replay' ? 'Replay' : 'Discard'}
          onConfirm={() => end(question)}
          onClose={() => setQuestion(undefined)}
        >
          <p>
            {question.id === undefined ? 'All dead letters' : <code>{question.id}</code>} of <code>{queue}</code>{' '}
            {question.act === 'replay' ? 'will be worked off anew.' : 'will be deleted.'}
          </p>
        </Confirm>
      )}
    </>
  );
}
