import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import type { LocksOptions } from '../../src/index.ts';
import type { Contender, StoreAddress } from './contender.ts';

export type Call = Exclude<keyof Contender, 'ready'>;
type Arguments<K extends Call> = Parameters<Contender[K]>;
type Result<K extends Call> = Awaited<ReturnType<Contender[K]>>;

export interface Order {
  readonly id: number;
  readonly call: Call | 'start' | 'faults';
  readonly args: readonly unknown[];
}

export type Answer = { readonly id: number } & ({ readonly result: unknown } | { readonly fault: string });

/** A {@link Contender} in a process of its own, which can be frozen. */
export class ContenderProcess {
  readonly name: string;
  readonly #child: ChildProcess;
  readonly #pending = new Map<number, { resolve: (result: unknown) => void; reject: (error: Error) => void }>();
  #orders = 0;

  /** @param file `contender-main.ts`, bundled */
  constructor(name: string, file: string) {
    this.name = name;
    this.#child = fork(file, {
      serialization: 'advanced',
      stdio: 'inherit',
    });
    this.#child.on('message', (answer: Answer) => {
      const pending = this.#pending.get(answer.id);
      this.#pending.delete(answer.id);
      if ('fault' in answer) pending?.reject(new Error(`${name}: ${answer.fault}`));
      else pending?.resolve(answer.result);
    });
    this.#child.once('exit', () => {
      for (const { reject } of this.#pending.values()) reject(new Error(`${name} ended`));
    });
  }

  async start(options: LocksOptions, store: StoreAddress): Promise<this> {
    await this.#ask('start', [this.name, options, store]);
    return this;
  }

  ask<K extends Call>(call: K, ...args: Arguments<K>): Promise<Result<K>> {
    return this.#ask(call, args) as Promise<Result<K>>;
  }

  /** Rejections that nobody handled, since the process began. */
  async faults(): Promise<readonly string[]> {
    return (await this.#ask('faults', [])) as readonly string[];
  }

  signal(signal: 'SIGSTOP' | 'SIGCONT'): void {
    this.#child.kill(signal);
  }

  async stop(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const exited = once(this.#child, 'exit');
    this.#child.kill('SIGKILL');
    await exited;
  }

  #ask(call: Order['call'], args: readonly unknown[]): Promise<unknown> {
    const id = this.#orders++;
    return new Promise((resolve, reject) => {
      this.#pending.set(id, { resolve, reject });
      this.#child.send({ id, call, args } satisfies Order);
    });
  }
}
