import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import type { FromWorker, ToWorker, WorkerSettings } from './protocol.ts';

/** A worker in a process of its own. */
export class WorkerProcess {
  readonly #child: ChildProcess;

  /** @param program The file of `worker.ts`, bundled. */
  constructor(program: string) {
    this.#child = fork(program, { execArgv: [], stdio: 'inherit', serialization: 'advanced' });
  }

  async start(settings: WorkerSettings): Promise<void> {
    await this.#ask({ kind: 'start', settings }, 'ready');
  }

  work(ms: number): Promise<Extract<FromWorker, { kind: 'worked' }>> {
    return this.#ask({ kind: 'work', ms }, 'worked');
  }

  rest(): Promise<Extract<FromWorker, { kind: 'rested' }>> {
    return this.#ask({ kind: 'rest' }, 'rested');
  }

  async stop(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), 5_000);
    const exited = once(this.#child, 'exit');
    if (this.#child.connected) this.#child.send({ kind: 'stop' } satisfies ToWorker);
    await exited;
    clearTimeout(timer);
  }

  #ask<K extends FromWorker['kind']>(message: ToWorker, kind: K): Promise<Extract<FromWorker, { kind: K }>> {
    return new Promise((resolve, reject) => {
      const onExit = (): void => reject(new Error('a worker of the coherence run ended'));
      this.#child.once('exit', onExit);
      this.#child.once('message', (reply: FromWorker) => {
        this.#child.off('exit', onExit);
        if (reply.kind === kind) resolve(reply as Extract<FromWorker, { kind: K }>);
        else reject(new Error(`a worker said ${reply.kind} instead of ${kind}`));
      });
      this.#child.send(message);
    });
  }
}
