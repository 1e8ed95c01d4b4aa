import { analyseSource, emptyReport } from './analyse-source.ts';
import { isSurelyShallow } from './depth-risk.ts';
import { LineIndex } from './lines.ts';
import { ParserProcess } from './parser-process.ts';
import type { FileReport } from './report.ts';

/** Analyses sources, in this process where that is safe and in one of its own where the native parser might crash. */
export class Analyser implements Disposable {
  readonly #isolated: ParserProcess;

  constructor(isolated: ParserProcess = new ParserProcess()) {
    this.#isolated = isolated;
  }

  /** Resolves for every text; rejects only once disposed. */
  async analyse(name: string, text: string): Promise<FileReport> {
    if (isSurelyShallow(text)) return analyseSource(name, text);
    const report = await this.#isolated.analyse(name, text);
    if (report !== undefined) return report;
    const size = { bytes: Buffer.byteLength(text), lines: new LineIndex(text).count(text.length) };
    return emptyReport(size, { kind: 'too deep to parse', line: 1, message: 'the parser gave up on it' });
  }

  [Symbol.dispose](): void {
    this.#isolated[Symbol.dispose]();
  }
}
