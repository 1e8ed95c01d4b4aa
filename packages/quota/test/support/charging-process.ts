import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';

export type ToCharger = 'stop' | { readonly subject: string };

export type FromCharger =
  | { readonly kind: 'ready' }
  /** What this process was told that it had charged, and how many thresholds it was told of. */
  | { readonly kind: 'done'; readonly calls: number; readonly tokens: number; readonly told: number };

/** A process that charges a subject until everything is used up. */
export class ChargingProcess {
  readonly #child: ChildProcess;

  /** @param program The file of `charging-worker.ts`, bundled. */
  constructor(program: string, url: string, prefix: string) {
    this.#child = fork(program, [url, prefix], { stdio: 'inherit' });
  }

  async ready(): Promise<void> {
    await this.#hear('ready');
  }

  async run(subject: string): Promise<Extract<FromCharger, { kind: 'done' }>> {
    const done = this.#hear('done');
    this.#child.send({ subject } satisfies ToCharger);
    return (await done) as Extract<FromCharger, { kind: 'done' }>;
  }

  async stop(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const exited = once(this.#child, 'exit');
    this.#child.send('stop' satisfies ToCharger);
    await exited;
  }

  #hear(kind: FromCharger['kind']): Promise<FromCharger> {
    return new Promise((resolve, reject) => {
      const onExit = (): void => reject(new Error('the process ended'));
      const onMessage = (message: FromCharger): void => {
        if (message.kind !== kind) return;
        this.#child.off('exit', onExit).off('message', onMessage);
        resolve(message);
      };
      this.#child.once('exit', onExit).on('message', onMessage);
    });
  }
}
