import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { forkSource } from '../fork-source.ts';
import type { FileReport } from './report.ts';

const DEADLINE_MS = 20_000;

/** A process that parses one text at a time and may die of it. Started at the first use, and again after a crash. */
export class ParserProcess implements Disposable {
  readonly #program: URL;
  #child: ChildProcess | undefined;
  #last: Promise<unknown> = Promise.resolve();
  #disposed = false;

  /** @param program What such a process runs. */
  constructor(program: URL = new URL('parser-entry.ts', import.meta.url)) {
    this.#program = program;
  }

  /** Resolves to `undefined` when the text ended the process or took longer than its deadline. */
  analyse(name: string, text: string): Promise<FileReport | undefined> {
    const answer = this.#last.then(() => this.#ask(name, text));
    this.#last = answer.catch(() => undefined);
    return answer;
  }

  async #ask(name: string, text: string): Promise<FileReport | undefined> {
    if (this.#disposed) throw new Error('the parser process is disposed');
    const child = (this.#child ??= this.#start());
    const abort = new AbortController();
    const timer = setTimeout(() => child.kill('SIGKILL'), DEADLINE_MS);
    try {
      const died = once(child, 'exit', abort).then(() => undefined);
      const answered = once(child, 'message', abort).then(([report]) => report as FileReport);
      child.send({ name, text }, () => undefined);
      return await Promise.race([answered, died]);
    } finally {
      clearTimeout(timer);
      abort.abort();
    }
  }

  #start(): ChildProcess {
    const child = forkSource(this.#program, 'ignore');
    child.once('exit', () => {
      if (this.#child === child) this.#child = undefined;
    });
    child.on('error', () => child.kill('SIGKILL'));
    return child;
  }

  [Symbol.dispose](): void {
    this.#disposed = true;
    this.#child?.kill('SIGKILL');
  }
}
