import { fileURLToPath, pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bundle, type Bundle } from '../../../test/support/bundle.ts';
import { analyseSource } from '../src/analyser/analyse-source.ts';
import { Analyser } from '../src/analyser/analyser.ts';
import { isSurelyShallow } from '../src/analyser/depth-risk.ts';
import { ParserProcess } from '../src/analyser/parser-process.ts';

let parser: Bundle;
let analyser: Analyser;
beforeAll(async () => {
  parser = await bundle(fileURLToPath(new URL('../src/analyser/parser-entry.ts', import.meta.url)));
  analyser = new Analyser(new ParserProcess(pathToFileURL(parser.file)));
});
afterAll(() => {
  analyser[Symbol.dispose]();
  parser.remove();
});

const DEEP = 60_000;
const hostile: readonly (readonly [string, string])[] = [
  ['brackets', `x = ${'['.repeat(DEEP)}${']'.repeat(DEEP)}`],
  ['brackets left open', '('.repeat(DEEP)],
  ['functions', `${'x = function () {'.repeat(8_000)}${'}'.repeat(8_000)}`],
  ['else if', `if (a) {}${' else if (a) {}'.repeat(DEEP)}`],
  ['ternaries', `x = ${'a ? '.repeat(DEEP)}1${' : 1'.repeat(DEEP)}`],
  ['unary operators', `${'!'.repeat(300_000)}x`],
  ['labels', `${'a: '.repeat(DEEP)};`],
];

describe('Analyser', () => {
  it.each(hostile)('survives %s nested without end, and goes on', async (_what, text) => {
    const report = await analyser.analyse('deep.ts', text);
    expect(report.bytes).toBe(text.length);
    expect(report.findings).toEqual([{ kind: 'too deep to parse', line: 1, message: 'the parser gave up on it' }]);
    const large = 'export const list = [1, 2];\n'.repeat(2_000);
    expect(await analyser.analyse('large.ts', large)).toEqual(analyseSource('large.ts', large));
  });

  it('analyses a huge file', async () => {
    const text = 'export function f(a: number): number {\n  return a > 1 ? a : 2;\n}\n'.repeat(8_000);
    const report = await analyser.analyse('huge.ts', text);
    expect(report).toMatchObject({ bytes: text.length, lines: 24_000, complexity: 16_001 });
    expect(report.functions).toHaveLength(8_000);
  });

  it('analyses files at the same time', async () => {
    const texts = Array.from(
      { length: 20 },
      (_, n) => `export const a${n} = [${'1,'.repeat(n % 2 === 0 ? 5 : 20_000)}];`,
    );
    const reports = await Promise.all(texts.map((text) => analyser.analyse('a.ts', text)));
    expect(reports.map(({ exports }) => exports)).toEqual(texts.map((_, n) => [`a${n}`]));
  });
});

describe('isSurelyShallow', () => {
  it('passes ordinary source and stops what may be deep', () => {
    expect(isSurelyShallow('export const f = (a: { b: string }) => a.b?.length ?? 0;\n'.repeat(100))).toBe(true);
    for (const [, text] of hostile) expect(isSurelyShallow(text)).toBe(false);
  });

  it('lets nothing through that the parser cannot bear', () => {
    // In this process on purpose: a crash would end the run.
    const worst = [
      `${'x=function(){'.repeat(490)}${'}'.repeat(490)}`,
      `${'x=class{y='.repeat(1_499)}1${'}'.repeat(1_499)}`,
      '{'.repeat(1_500),
      `if(a);${'else '.repeat(1_400)};`,
      `x=${'!'.repeat(7_900)}1`,
      `x=1${'+1'.repeat(7_900)}`,
      `${'typeof '.repeat(4_600)}x`,
    ];
    for (const text of worst) {
      expect(isSurelyShallow(text)).toBe(true);
      expect(analyseSource('a.ts', text).bytes).toBe(text.length);
    }
  });
});
