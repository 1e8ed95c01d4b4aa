/**
 * Characters that a terminal acts on rather than shows, or that make a text read otherwise than it is: control characters
 * of both ranges, marks of direction, of zero width, and what ends a line elsewhere.
 */
const UNSAFE = /[\u0000-\u001f\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]|\p{Cs}/gu;

const CUT = '…';

/** A text that others chose, as one line that a terminal does nothing with but show it; cut to `most` characters. */
export function printable(text: string, most = 500): string {
  const shown = text.length > most ? `${text.slice(0, most)}${CUT}` : text;
  return shown.replaceAll(UNSAFE, escaped);
}

/** JSON in which strings hold no such character either; it parses to the same. */
export function printableJson(value: unknown, indent = 0): string {
  const json = JSON.stringify(value, plain, indent);
  // JSON escapes the first range inside of strings; outside of them, it breaks lines itself.
  return (json ?? 'null').replaceAll(UNSAFE, (character) => (character === '\n' ? character : escaped(character)));
}

function plain(_key: string, value: unknown): unknown {
  if (typeof value === 'bigint') return value.toString();
  return typeof value === 'number' && !Number.isFinite(value) ? null : value;
}

function escaped(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
}
