import type { JSX } from 'preact';
import type { DecisionCount } from '../../../../src/live-telemetry.ts';
import { useCallback } from 'preact/hooks';
import { pathSegment } from '../../../../src/path-name.ts';
import type { Session } from '../../api/session.ts';
import * as format from '../../format.ts';
import { usePolled } from '../../live/use-polled.ts';
import { AnewButton } from '../../parts/anew-button.tsx';
import { Bar } from '../../parts/bar.tsx';
import { Panel } from '../../parts/panel.tsx';

export interface Limiter {
  readonly name: string;
  readonly policies: readonly {
    readonly name: string;
    readonly kind: string;
    readonly limit: number;
    readonly perMs: number;
  }[];
}

interface Standing {
  readonly allowed: boolean;
  readonly retryAfterMs: number | null;
  readonly source: string;
  readonly policies: readonly {
    readonly name: string;
    readonly limit: number | null;
    readonly remaining: number | null;
    readonly resetMs: number;
  }[];
}

export interface LimiterPanelProps {
  readonly session: Session;
  readonly limiter: Limiter;
  /** Empty for none. */
  readonly subject: string;
  /** Of all limiters of this instance, since they were made. */
  readonly decisions: readonly DecisionCount[];
}

export function LimiterPanel({ session, limiter, subject, decisions }: LimiterPanelProps): JSX.Element {
  const own = decisions.filter((each) => each.limiter === limiter.name);
  return (
    <Panel title={`Limiter ${limiter.name}`}>
      <ul class="plain-list">
        {limiter.policies.map(({ name, kind, limit, perMs }) => (
          <li key={name}>
            <span class="key">{name}</span> <span class="tag">{kind}</span>{' '}
            {`${format.count(limit)} per ${format.span(perMs)}`}
          </li>
        ))}
      </ul>
      {own.length > 0 && <p>{own.map(({ result, count }) => `${format.count(count)} ${result}`).join(', ')}</p>}
      {subject !== '' && <SubjectStanding session={session} name={limiter.name} subject={subject} />}
    </Panel>
  );
}

const EVERY_MS = 1_000;

/** What a call of the subject would be answered now; asking takes nothing. */
function SubjectStanding({
  session,
  name,
  subject,
}: {
  readonly session: Session;
  readonly name: string;
  readonly subject: string;
}): JSX.Element {
  const { api } = session;
  const path = `api/v1/limiters/${pathSegment(name)}/subjects/${pathSegment(subject)}`;
  const ask = useCallback((signal: AbortSignal) => api.get<Standing>(path, {}, signal), [api, path]);
  const { data, error, refresh } = usePolled(ask, EVERY_MS);
  const reset = async (): Promise<void> => {
    await api.delete(path);
    refresh();
  };
  return (
    <>
      <h3 class="key">{subject}</h3>
      {error !== undefined && <p role="alert">{error}</p>}
      {data !== undefined && (
        <>
          <p>{decision(data)}</p>
          {data.policies.map(({ name: policy, limit, remaining, resetMs }) => (
            <Bar
              key={policy}
              label={policy}
              used={(limit ?? 0) - (remaining ?? 0)}
              limit={limit}
              text={
                limit === null ? 'no limit' : `${format.count(remaining ?? 0)} left, full in ${format.span(resetMs)}`
              }
            />
          ))}
        </>
      )}
      {session.can('operate') && (
        <AnewButton onReset={reset}>
          What <code>{subject}</code> has taken of <code>{name}</code> is forgotten, and its block if there is one.
        </AnewButton>
      )}
    </>
  );
}

function decision({ allowed, retryAfterMs, source }: Standing): string {
  const by = source === 'redis' ? '' : ` (decided by ${source})`;
  if (allowed) return `The next call is allowed${by}.`;
  const when = retryAfterMs === null ? 'for good' : `for ${format.span(retryAfterMs)}`;
  return `Calls are denied ${when}${by}.`;
}
