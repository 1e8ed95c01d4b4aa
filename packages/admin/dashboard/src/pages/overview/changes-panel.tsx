import type { JSX } from 'preact';
import * as format from '../../format.ts';
import type { Live, SeenChange } from '../../live/live.ts';
import { Panel } from '../../parts/panel.tsx';

const SHOWN = 30;

/** Writes, deletes and invalidations as they happen, here and in other instances. */
export function ChangesPanel({ live: { changes, changeCount } }: { readonly live: Live }): JSX.Element {
  return (
    <Panel title="Changes and invalidations">
      <p class="quiet">
        {changeCount === 0
          ? 'None since this page was opened.'
          : `${format.count(changeCount)} since this page was opened`}
      </p>
      <ol class="changes scrolls" tabIndex={0} aria-label="The latest changes">
        {changes.slice(0, SHOWN).map((change) => (
          <li key={change.id}>
            <time>{format.timeOfDay(change.at)}</time> <span class="tag">{change.own ? 'here' : 'elsewhere'}</span>{' '}
            <span class="key">{describe(change)}</span>
          </li>
        ))}
      </ol>
    </Panel>
  );
}

function describe(change: SeenChange): string {
  switch (change.kind) {
    case 'keys': {
      const more = change.count > 3 ? ` and ${format.count(change.count - 3)} more` : '';
      return `${placeOf(change)} ${change.keys.slice(0, 3).join(', ')}${more}`;
    }
    case 'scope':
      return `${placeOf(change)} cleared`;
    case 'tier':
      return `${change.tier}: the whole tier cleared`;
    case 'pattern':
      return `${placeOf(change)} pattern ${change.pattern}`;
    case 'tags': {
      const { tier, tags } = change;
      const where = tier === undefined ? 'everywhere:' : placeOf({ ...change, tier });
      return `${where} ${tags.length === 0 ? 'all tags' : `tags ${tags.join(', ')}`}`;
    }
    default:
      return 'a change of a kind that this page does not know';
  }
}

function placeOf({ tier, scope }: { readonly tier: string; readonly scope?: string }): string {
  return scope === undefined ? `${tier}:` : `${tier} ${scope}:`;
}
