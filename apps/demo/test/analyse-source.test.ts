import { describe, expect, it } from 'vitest';
import { analyseSource } from '../src/analyser/analyse-source.ts';

const complexityOf = (body: string): number | undefined =>
  analyseSource('a.ts', `function f(a, b, c) {\n${body}\n}`).functions[0]?.complexity;

describe('analyseSource', () => {
  it('measures bytes and lines', () => {
    expect(analyseSource('a.ts', '// é\nlet a = 1\n')).toMatchObject({ bytes: 16, lines: 2 });
    expect(analyseSource('a.ts', 'a\nb')).toMatchObject({ bytes: 3, lines: 2 });
  });

  it.each([
    ['nothing', 'return a', 1],
    ['if and else if', 'if (a) return 1; else if (b) return 2; else return 3', 3],
    ['a ternary', 'return a ? b : c', 2],
    ['every loop', 'for (;;) {} for (a in b) {} for (a of b) {} while (a) {} do {} while (a)', 6],
    ['cases but not default', 'switch (a) { case 1: case 2: break; default: }', 3],
    ['catch', 'try { a() } catch {} finally {}', 2],
    ['short circuits', 'return (a && b) || (c ?? a)', 4],
    ['assigning short circuits', 'a ??= b; a ||= c; a += 1', 3],
  ])('counts %s', (_what, body, complexity) => {
    expect(complexityOf(body)).toBe(complexity);
  });

  it('counts the branches of an inner function for that function only, and all for the file', () => {
    const report = analyseSource('a.ts', 'if (x) y()\nfunction outer() {\n  return () => (a ? b : c)\n}\n');
    expect(report.functions.map(({ complexity }) => complexity)).toEqual([1, 2]);
    expect(report.complexity).toBe(2 + 1 + 2);
  });

  it('names functions by themselves or by where they stand', () => {
    const report = analyseSource(
      'a.ts',
      'function a() {}\nconst b = () => 1\nconst o = { c() {}, "d-e": function () {} }\nclass X { #f() {} g = () => 1 }\no.h = () => 1\nrun(() => 1)',
    );
    expect(report.functions.map(({ name }) => name)).toEqual(['a', 'b', 'c', 'd-e', '#f', 'g', 'h', '(anonymous)']);
    expect(report.functions.map(({ line }) => line)).toEqual([1, 2, 3, 3, 4, 4, 5, 6]);
  });

  it('lists what an ES module exports', () => {
    const text =
      'export const a = 1, b = 2\nexport default () => 1\nexport * from "./x"\nexport { c as d, type T } from "./y"';
    expect(analyseSource('a.ts', text).exports).toEqual(['a', 'b', 'default', '*', 'd', 'T']);
  });

  it('lists imports of every form once', () => {
    const text = [
      'import { a } from "./a.js"',
      'import type { T } from "../t.ts"',
      'import fs from "node:fs"',
      'export { b, c } from "./b.ts"',
      'const d = await import("./d.ts")',
      'const e = await import(`./${d}.ts`)',
      'const f = require("..")',
    ].join('\n');
    expect(analyseSource('a.ts', text).imports).toEqual([
      { specifier: './a.js', line: 1 },
      { specifier: '../t.ts', line: 2 },
      { specifier: 'node:fs', line: 3 },
      { specifier: './b.ts', line: 4 },
      { specifier: './d.ts', line: 5 },
      { specifier: '..', line: 7 },
    ]);
  });

  it('finds long and complex functions', () => {
    const long = `function long() {\n${'  a()\n'.repeat(60)}}\n`;
    const complex = `const complex = (x) => ${'x ? 1 : '.repeat(15)}0\n`;
    expect(analyseSource('a.ts', long + complex).findings).toEqual([
      { kind: 'long function', line: 1, message: 'long has 62 lines' },
      { kind: 'complex function', line: 63, message: 'complex has a complexity of 16' },
    ]);
  });

  it.each(['a.js', 'a.jsx', 'a.mjs', 'a.cjs', 'a.tsx'])('reads JSX in %s', (name) => {
    expect(analyseSource(name, 'const a = <p>{b && c}</p>')).toMatchObject({ findings: [], complexity: 2 });
  });

  it('reads declarations, casts and CommonJS', () => {
    expect(analyseSource('a.d.ts', 'declare function f(): void\nexport declare const a: 1').findings).toEqual([]);
    expect(analyseSource('a.ts', 'const a = <string>b').findings).toEqual([]);
    expect(analyseSource('a.cjs', 'module.exports = 1; return').findings).toEqual([]);
  });

  it('reports a syntax error with its line', () => {
    const report = analyseSource('a.ts', 'const a = 1\nfunction b( {\n');
    expect(report).toMatchObject({ lines: 2, findings: [{ kind: 'syntax error', line: expect.any(Number) }] });
    expect(report.findings[0]?.message).toMatch(/\S/);
  });

  it('bounds what it says of a file full of errors', () => {
    expect(analyseSource('a.ts', 'const;\n'.repeat(2_000)).findings.length).toBeLessThanOrEqual(5);
  });

  it('reads an empty file', () => {
    expect(analyseSource('a.ts', '')).toEqual({
      bytes: 0,
      lines: 0,
      complexity: 1,
      exports: [],
      functions: [],
      imports: [],
      findings: [],
    });
  });

  it('does not parse binary', () => {
    const report = analyseSource('a.js', Buffer.from([0x89, 0x50, 0, 0xff, 0xfe, 0x0a, 0]).toString('utf8'));
    expect(report.findings).toEqual([{ kind: 'binary file', line: 1, message: 'not text' }]);
  });

  it('answers alike for alike input', () => {
    const text = 'export const f = (a) => (a ? 1 : 2)';
    expect(analyseSource('a.ts', text)).toEqual(analyseSource('a.ts', text));
  });
});
