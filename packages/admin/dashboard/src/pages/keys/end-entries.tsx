import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { pathSegment } from '../../../../src/path-name.ts';
import { messageOf, type Api } from '../../api/api.ts';
import * as format from '../../format.ts';
import { Confirm } from '../../parts/confirm.tsx';
import type { Search } from './key-search.tsx';

export interface EndEntriesProps {
  readonly api: Api;
  /** What was searched last; it is what would be ended. */
  readonly search: Search;
  readonly onDone: () => void;
}

interface Deletion {
  /** Absent where they are not counted. */
  readonly deleted?: number;
  readonly confirmed: boolean;
}

type Question =
  | { readonly ask: 'matching'; readonly entries: number }
  | { readonly ask: 'tagged'; readonly entries: number }
  | { readonly ask: 'all' };

/** Ends what was searched for, all at once, after a dry run has said how much that is. */
export function EndEntries({ api, search, onDone }: EndEntriesProps): JSX.Element {
  const [question, setQuestion] = useState<Question>();
  const [said, setSaid] = useState('');
  const { tier, scope, pattern, tag } = search;
  const place = { tier, scope };
  const searchable = tier === 'global' || scope !== '';
  const where = scope === '' ? `the tier ${tier}` : `${tier} ${scope}`;
  const request = (ask: Question['ask'], dryRun: boolean): Promise<Deletion> => {
    if (ask === 'all') return api.delete('api/v1/cache/clear', place);
    if (ask === 'tagged') return api.delete('api/v1/cache/tags', { ...place, tag, dryRun });
    return api.delete(`api/v1/cache/invalidate/${pathSegment(pattern)}`, { ...place, dryRun });
  };

  const dryRun = async (ask: 'matching' | 'tagged'): Promise<void> => {
    setSaid('');
    try {
      const { deleted = 0 } = await request(ask, true);
      setQuestion({ ask, entries: deleted });
    } catch (error) {
      setSaid(messageOf(error));
    }
  };
  const end = async (ask: Question['ask']): Promise<void> => {
    const { deleted, confirmed } = await request(ask, false);
    const what = deleted === undefined ? `Cleared ${where}` : `${format.count(deleted)} entries ended`;
    setSaid(`${what}${confirmed ? '' : '; Redis has not confirmed it yet'}.`);
    onDone();
  };

  return (
    <div class="actions">
      {tag === '' ? (
        <button type="button" disabled={!searchable} onClick={() => void dryRun('matching')}>
          End all that match...
        </button>
      ) : (
        <button type="button" disabled={!searchable} onClick={() => void dryRun('tagged')}>
          End all with this tag...
        </button>
      )}
      <button type="button" onClick={() => setQuestion({ ask: 'all' })}>
        Clear {where}...
      </button>
      <span role="status">{said}</span>
      {question !== undefined && (
        <Confirm
          title={question.ask === 'all' ? `Clear ${where}?` : `End ${format.count(question.entries)} entries?`}
          action={question.ask === 'all' ? 'Clear' : 'End them'}
          onConfirm={() => end(question.ask)}
          onClose={() => setQuestion(undefined)}
        >
          <p>
            {question.ask === 'matching' && `All entries of ${where} that match `}
            {question.ask === 'tagged' && `All entries of ${where} with the tag `}
            {question.ask === 'all' && `All entries of ${where}`}
            {question.ask !== 'all' && <code>{question.ask === 'matching' ? pattern : tag}</code>} are ended in all
            instances. The next reads load them anew.
          </p>
        </Confirm>
      )}
    </div>
  );
}
