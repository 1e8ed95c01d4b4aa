import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';

export type ToLoader =
  | 'stop'
  | {
      readonly key: string;
      readonly callers: number;
      readonly loadMs: number;
      readonly fails: boolean;
      readonly grace?: string;
    };

export type FromLoader =
  | { readonly kind: 'ready' | 'loading' | 'loaded' }
  | { readonly kind: 'answered'; readonly count: number; readonly answers: readonly string[] };

/** A process whose callers all ask for one key. */
export class LoadingProcess {
  readonly #child: ChildProcess;
  loads = 0;
  /** When its last load ended, by `performance.now()` of the parent. */
  loadedAtMs = 0;

  /** @param program The file of `stampede-worker.ts`, bundled. */
  constructor(program: string, url: string, lease: string) {
    this.#child = fork(program, [url, '', lease], { stdio: 'inherit' });
    this.#child.on('message', (message: FromLoader) => {
      if (message.kind === 'loading') this.loads++;
      if (message.kind === 'loaded') this.loadedAtMs = performance.now();
    });
  }

  ready(): Promise<unknown> {
    return this.#hear('ready');
  }

  /** Resolves to what all callers got, each answer once. */
  async call(order: Exclude<ToLoader, 'stop'>): Promise<readonly string[]> {
    const answered = this.#hear('answered');
    this.#child.send(order);
    const message = await answered;
    if (message.kind !== 'answered' || message.count !== order.callers) throw new Error('a caller got no answer');
    return message.answers;
  }

  kill(): void {
    this.#child.kill('SIGKILL');
  }

  async stop(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const exited = once(this.#child, 'exit');
    this.#child.send('stop' satisfies ToLoader);
    await exited;
  }

  #hear(kind: FromLoader['kind']): Promise<FromLoader> {
    return new Promise((resolve, reject) => {
      const onExit = (): void => reject(new Error('the process ended'));
      const onMessage = (message: FromLoader): void => {
        if (message.kind !== kind) return;
        this.#child.off('exit', onExit).off('message', onMessage);
        resolve(message);
      };
      this.#child.once('exit', onExit).on('message', onMessage);
    });
  }
}
