import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createCache, normaliseLines } from '../src/index.ts';
import { hashContent } from '../src/wrappers/content-hash.ts';

const hash = (content: string | Uint8Array): string => hashContent(content, normaliseLines, 1_000_000);
const piece = fc.constantFrom('a', 'b ', ' ', '\t', '\n', '\r', '\r\n', 'x\ty', '\u2028', 'é', '😀');
const text = fc.array(piece, { maxLength: 40 }).map((pieces) => pieces.join(''));
const lineEnd = /\r\n|\r|\n/;

describe('content hash', () => {
  it('moves no line and no column before the spaces at the end of a line', () => {
    fc.assert(
      fc.property(text, (before) => {
        const lines = before.split(lineEnd);
        const after = normaliseLines(before).split('\n');
        expect(after).toHaveLength(lines.length);
        for (const [index, line] of after.entries()) {
          expect(lines[index]?.startsWith(line)).toBe(true);
          expect(lines[index]?.slice(line.length)).toMatch(/^[ \t]*$/);
          expect(line).not.toMatch(/[ \t]$/);
        }
      }),
    );
  });

  it('is the same exactly for texts of one normal form, given as text or as bytes', () => {
    fc.assert(
      fc.property(
        text,
        text,
        fc.constantFrom('\n', '\r\n', '\r'),
        fc.stringMatching(/^[ \t]{0,3}$/),
        (one, other, end, blank) => {
          const respelled = one
            .split(lineEnd)
            .map((line) => line + blank)
            .join(end);
          expect(hash(respelled)).toBe(hash(one));
          expect(hash(Buffer.from(one))).toBe(hash(one));
          expect(hash(one) === hash(other)).toBe(normaliseLines(one) === normaliseLines(other));
        },
      ),
    );
  });

  it('meets no text with bytes or halves of characters that have none', () => {
    const contents = [
      '\uFFFD',
      '\uD800',
      '\uD801',
      Buffer.from([0xff]),
      Buffer.from([0xfe]),
      Buffer.from([0xef, 0xbf]),
    ];
    expect(new Set(contents.map(hash)).size).toBe(contents.length);
  });

  it('takes linear time for spaces that end no line', () => {
    const hostile = `${' '.repeat(900_000)}x`;
    const startedMs = performance.now();
    hash(hostile);
    expect(performance.now() - startedMs).toBeLessThan(500);
  });

  it('has a bound, a normaliser of one’s own, and names that cannot be confused', async () => {
    const cache = createCache({ redis: 'memory' });
    const small = cache.content('x', { maxContentBytes: 4 });
    expect(small.keyOf('éé')).toHaveLength(2);
    expect(() => small.keyOf('ééé')).toThrow(expect.objectContaining({ code: 'ERR_CONTENT_INVALID' }));
    const exact = cache.content('x', { normalise: false });
    expect(exact.keyOf('a ')).not.toEqual(exact.keyOf('a'));
    const folded = cache.content('x', { normalise: (code) => code.toLowerCase() });
    expect(folded.keyOf('A')).toEqual(folded.keyOf('a'));
    expect(cache.content('x', { version: 1 }).keyOf('')).toMatchObject(['x', '-', 1, expect.any(String)]);
    for (const options of [{ language: '-' }, { language: '' }, { version: '-' }, { maxContentBytes: 0 }])
      expect(() => cache.content('x', options)).toThrow(expect.objectContaining({ code: 'ERR_CACHE_OPTIONS' }));
    await cache.close();
  });
});
