import type { JSX } from 'preact';
import { textField } from '../../text-field.ts';

/** What is looked for; empty for anything. */
export interface Search {
  readonly tier: string;
  readonly scope: string;
  readonly pattern: string;
  readonly tag: string;
}

export interface KeySearchProps {
  readonly tiers: readonly string[];
  readonly onSearch: (search: Search) => void;
}

export function KeySearch({ tiers, onSearch }: KeySearchProps): JSX.Element {
  const submit = (form: HTMLFormElement): void => {
    const text = (name: string): string => textField(form, name);
    const tier = text('tier');
    onSearch({
      tier,
      scope: tier === 'global' ? '' : text('scope'),
      pattern: text('pattern') || '*',
      tag: text('tag'),
    });
  };
  return (
    <form
      class="panel search"
      role="search"
      onSubmit={(event) => {
        event.preventDefault();
        submit(event.currentTarget);
      }}
    >
      <label>
        Tier
        <select name="tier">
          {[...new Set(['global', ...tiers])].map((tier) => (
            <option key={tier} value={tier}>
              {tier}
            </option>
          ))}
        </select>
      </label>
      <label>
        Scope
        <input name="scope" placeholder="all" autocomplete="off" spellcheck={false} />
      </label>
      <label>
        Pattern
        <input name="pattern" defaultValue="*" autocomplete="off" spellcheck={false} />
      </label>
      <label>
        Tag
        <input name="tag" placeholder="any" autocomplete="off" spellcheck={false} />
      </label>
      <button type="submit" class="main">
        Search
      </button>
    </form>
  );
}
