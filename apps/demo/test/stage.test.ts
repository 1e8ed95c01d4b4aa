import { PassThrough } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { duration, latencies, percent, shares } from '../src/stage/latencies.ts';
import { popularity, random } from '../src/stage/popularity.ts';
import { Printer } from '../src/stage/printer.ts';
import { Verdicts } from '../src/stage/verdicts.ts';

function printed(print: (printer: Printer) => void, terminal = false): string {
  const out = Object.assign(new PassThrough({ encoding: 'utf8' }), { isTTY: terminal });
  const chunks: string[] = [];
  print(new Printer(out, { TERM: 'xterm' }));
  // From Node 26 on a read gives one chunk, where it gave all of them.
  for (let chunk = out.read() as string | null; chunk !== null; chunk = out.read() as string | null) chunks.push(chunk);
  return chunks.join('');
}

describe('figures', () => {
  it('takes percentiles by nearest rank', () => {
    const times = Array.from({ length: 100 }, (_, index) => 100 - index);
    expect(latencies(times)).toEqual({ count: 100, p50: 50, p99: 99, longest: 100, total: 5_050 });
    expect(latencies([])).toEqual({ count: 0, p50: 0, p99: 0, longest: 0, total: 0 });
  });

  it.each([
    [0.0032, '3.20 µs'],
    [0.9994, '999 µs'],
    [0.9996, '1.00 ms'],
    [12.34, '12.3 ms'],
    [999.4, '999 ms'],
    [3_500, '3.50 s'],
  ])('writes %f ms as %s', (ms, text) => expect(duration(ms)).toBe(text));

  it('never rounds a share up to all of it', () => {
    expect([percent(1), percent(0.9999), percent(0.5), percent(0)]).toEqual(['100 %', '99.9 %', '50 %', '0 %']);
  });

  it.each([
    [
      [1, 1, 1],
      ['33.3 %', '33.3 %', '33.4 %'],
    ],
    [
      [1_999, 1, 0],
      ['99.9 %', '0.1 %', '0.0 %'],
    ],
    [
      [5, 0, 0],
      ['100.0 %', '0.0 %', '0.0 %'],
    ],
    [
      [0, 0],
      ['0.0 %', '0.0 %'],
    ],
  ])('writes %j as shares that add up', (parts, expected) => expect(shares(parts)).toEqual(expected));
});

function everything(printer: Printer): void {
  printer.title('title');
  printer.status('one');
  printer.status('two');
  printer.good('good');
  printer.table([
    ['name', 'ms'],
    ['a', '10'],
    ['long', '9'],
  ]);
}

describe('Printer', () => {
  it('writes plain lines where there is no terminal', () => {
    expect(printed(everything)).toBe('\ntitle\n  one\n  two\n  good\n  name  ms\n  a     10\n  long   9\n');
  });

  it('says nothing after its last line', () => {
    const text = printed((printer) => {
      printer.end('Ended.');
      printer.bad('a call that was under way failed');
      printer.status('one');
    });
    expect(text).toBe('  Ended.\n');
  });

  it('rewrites the status on a terminal', () => {
    expect(printed(everything, true)).toContain('\r\u001B[2K  one\r\u001B[2K  two\r\u001B[2K  \u001B[32mgood');
  });
});

describe('Verdicts', () => {
  it('names what failed, and takes what was not judged for no failure', () => {
    const verdicts = new Verdicts();
    verdicts.expect('x', '1', true);
    verdicts.expect('y', '2', undefined);
    expect(verdicts.failed).toEqual([]);
    verdicts.expect('z', '3', false);
    expect(verdicts.failed).toEqual(['z']);
    const text = printed((printer) => verdicts.print(printer));
    expect(text).toMatch(/z +3 +FAILED\n/);
    expect(text).toContain('Failed: z');
    expect(text).not.toContain('was met');
  });
});

describe('popularity', () => {
  it('favours few items, and picks the same for the same seed', () => {
    const items = Array.from({ length: 100 }, (_, index) => index);
    const picks = (): number[] => Array.from({ length: 5_000 }, popularity(items, random(7)));
    const counts = new Map<number, number>();
    for (const pick of picks()) counts.set(pick, (counts.get(pick) ?? 0) + 1);
    const [first = 0, second = 0] = [...counts.values()].sort((a, b) => b - a);
    expect(first).toBeGreaterThan(700);
    expect(first).toBeLessThan(1_300);
    expect(first / second).toBeGreaterThan(1.4);
    expect(picks()).toEqual(picks());
  });
});
