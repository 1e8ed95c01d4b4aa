import type { InspectedEntry } from '@tierkit/cache';
import type { JSX } from 'preact';

/** What the API tells of a value. */
export interface ReadEntry extends Omit<InspectedEntry, 'value'> {
  readonly type: string;
  readonly value: unknown;
  readonly truncated: boolean;
  readonly withheld?: 'encrypted' | 'absent';
}

/** A value as text, whatever is in it. */
export function EntryValue({
  entry: { type, value, truncated, withheld },
}: {
  readonly entry: ReadEntry;
}): JSX.Element {
  if (withheld === 'absent') return <p role="status">It is known that there is no value.</p>;
  if (withheld === 'encrypted') return <p role="status">The value is encrypted, and withheld.</p>;
  return (
    <>
      <p role="status">
        {type}
        {truncated && ', cut short'}
      </p>
      <pre tabIndex={0} aria-label="Value">
        {JSON.stringify(value, null, 2)}
      </pre>
    </>
  );
}
