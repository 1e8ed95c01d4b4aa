import { parseSync, type EcmaScriptModule, type ParserOptions } from 'oxc-parser';
import { LineIndex } from './lines.ts';
import { measure } from './measure.ts';
import type { FileReport, Finding, FunctionMeasure, Import } from './report.ts';

/** A function is reported as long above this many lines, and as complex above this cyclomatic complexity. */
const LIMITS = { functionLines: 60, functionComplexity: 15 } as const;

const SYNTAX_ERRORS_SHOWN = 5;

/**
 * Parses and measures one source file. Never throws on what the text holds: errors of syntax are findings, and
 * measures are then taken of what the parser could recover.
 *
 * The text must be `isSurelyShallow`, or this must run where a crash of the native parser does no harm.
 */
export function analyseSource(name: string, text: string): FileReport {
  const lines = new LineIndex(text);
  const size = { bytes: Buffer.byteLength(text), lines: lines.count(text.length) };
  if (isBinary(text)) return emptyReport(size, { kind: 'binary file', line: 1, message: 'not text' });
  const { program, module, errors } = parseSync(name, text, parserOptions(name));
  const { functions, complexity, required } = measure(program, lines);
  const syntax = errors
    .filter(({ severity }: { readonly severity: string }) => severity === 'Error')
    .slice(0, SYNTAX_ERRORS_SHOWN)
    .map((error): Finding => {
      return { kind: 'syntax error', line: lines.lineOf(error.labels[0]?.start ?? 0), message: error.message };
    });
  return {
    ...size,
    complexity,
    exports: exportedNames(module),
    functions,
    imports: imports(module, required, text, lines),
    findings: [...syntax, ...functions.flatMap(judge)],
  };
}

/** The report of a file that was not parsed, for the reason that the finding gives. */
export function emptyReport(size: { readonly bytes: number; readonly lines: number }, finding: Finding): FileReport {
  return { ...size, complexity: 0, exports: [], functions: [], imports: [], findings: [finding] };
}

function isBinary(text: string): boolean {
  return text.slice(0, 8_192).includes('\0');
}

function parserOptions(name: string): ParserOptions {
  // JSX in .js files is common; .ts keeps the parser's own choice, because `<T>x` is a cast there.
  if (/\.[mc]?js$/i.test(name)) return { lang: 'jsx', sourceType: name.endsWith('.cjs') ? 'commonjs' : 'unambiguous' };
  return {};
}

function judge({ name, line, lines, complexity }: FunctionMeasure): Finding[] {
  const findings: Finding[] = [];
  if (lines > LIMITS.functionLines)
    findings.push({ kind: 'long function', line, message: `${name} has ${lines} lines` });
  if (complexity > LIMITS.functionComplexity)
    findings.push({ kind: 'complex function', line, message: `${name} has a complexity of ${complexity}` });
  return findings;
}

interface ExportEntry {
  readonly exportName: { readonly kind: string; readonly name: string | null };
}

function exportedNames(module: EcmaScriptModule): string[] {
  const entries = module.staticExports.flatMap((statement) => statement.entries);
  return entries.map(({ exportName: { kind, name } }: ExportEntry) => name ?? (kind === 'Default' ? 'default' : '*'));
}

function imports(
  module: EcmaScriptModule,
  required: readonly { readonly specifier: string; readonly start: number }[],
  text: string,
  lines: LineIndex,
): Import[] {
  const literal = /^(['"`])([^'"`\\$]*)\1$/;
  const requests = [
    ...module.staticImports.map(({ moduleRequest }) => ({
      specifier: moduleRequest.value,
      start: moduleRequest.start,
    })),
    ...module.staticExports.flatMap(({ entries }) =>
      entries.flatMap(({ moduleRequest }) =>
        moduleRequest === null ? [] : [{ specifier: moduleRequest.value, start: moduleRequest.start }],
      ),
    ),
    ...module.dynamicImports.flatMap(({ moduleRequest: { start, end } }) => {
      const specifier = literal.exec(text.slice(start, end))?.[2];
      return specifier === undefined ? [] : [{ specifier, start }];
    }),
    ...required,
  ];
  // `export { a, b } from './x'` names its module once per export.
  const byPlace = new Map(requests.map((request) => [request.start, request]));
  return [...byPlace.values()]
    .sort((a, b) => a.start - b.start)
    .map(({ specifier, start }) => ({ specifier, line: lines.lineOf(start) }));
}
