import fc from 'fast-check';
import { expect, it } from 'vitest';
import { printable, printableJson } from '../src/output/printable.ts';
import { facts, table } from '../src/output/table.ts';

const acting = /[\u0000-\u001f\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]|\p{Cs}/u;
const hostile = fc.string({
  unit: fc.oneof(
    fc.string({ unit: 'binary', minLength: 1, maxLength: 1 }),
    fc.constantFrom('\u001b', '\u009b', '\u202e', '\n', '\ud800'),
  ),
});

it('leaves nothing in a text that a terminal acts on, whatever it holds', () => {
  fc.assert(
    fc.property(hostile, (text) => {
      expect(printable(text)).not.toMatch(acting);
      expect(printable(text).length).toBeLessThanOrEqual(6 * 501);
      for (const line of table(['A', 'B'], [[text, 1]]).split('\n')) expect(line).not.toMatch(acting);
      expect(table(['A'], [[text]]).split('\n')).toHaveLength(2);
      expect(facts([[text, text]])).not.toMatch(acting);
    }),
  );
});

it('writes JSON that parses to what it was made of', () => {
  fc.assert(
    fc.property(fc.jsonValue(), hostile, (value, text) => {
      const json = printableJson({ [text]: [value, text] }, 2);
      for (const line of json.split('\n')) expect(line).not.toMatch(acting);
      expect(JSON.parse(json)).toEqual(JSON.parse(JSON.stringify({ [text]: [value, text] })));
    }),
  );
});
