import { forkSource } from '../fork-source.ts';
import { recordAccess } from './access-trace.ts';
import type { OperationName, Operations, ReplyMessage, RequestMessage } from './operations.ts';

const CLOSE_DEADLINE_MS = 5_000;

/** An instance of the service in a process of its own, as the demo sees it. */
export class InstanceProcess implements AsyncDisposable {
  readonly name: string;
  readonly #child = forkSource(new URL('main.ts', import.meta.url), 'inherit');
  readonly #pending = new Map<number, Deferred<unknown>>();
  readonly #exited: Promise<void>;
  #nextId = 0;

  constructor(name: string) {
    this.name = name;
    this.#child.on('message', (message: ReplyMessage) => this.#settle(message));
    this.#exited = new Promise((resolve) => {
      this.#child.once('exit', (code, signal) => {
        this.#rejectAll(`instance ${name} ended (${signal ?? code})`);
        resolve();
      });
    });
    this.#child.on('error', (error) => this.#rejectAll(`instance ${name}: ${error.message}`));
  }

  /** Rejects when the operation fails there, and when the process ends before it replies. */
  call<N extends OperationName>(name: N, request: Operations[N]['request']): Promise<Operations[N]['reply']> {
    recordAccess(this.name, name, request);
    const id = this.#nextId++;
    const pending = deferred<unknown>();
    this.#pending.set(id, pending);
    const message: RequestMessage = { id, name, request };
    this.#child.send(message, (error) => {
      if (error !== null) this.#settle({ id, error: `instance ${this.name} is gone` });
    });
    return pending.promise as Promise<Operations[N]['reply']>;
  }

  #settle(message: ReplyMessage): void {
    const pending = this.#pending.get(message.id);
    this.#pending.delete(message.id);
    if ('error' in message) pending?.reject(new Error(message.error));
    else pending?.resolve(message.reply);
  }

  #rejectAll(reason: string): void {
    for (const id of this.#pending.keys()) this.#settle({ id, error: reason });
  }

  /** Lets the instance close what it holds, and ends it if that takes too long. */
  async [Symbol.asyncDispose](): Promise<void> {
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), CLOSE_DEADLINE_MS);
    await this.call('close', undefined).catch(() => undefined);
    if (this.#child.connected) this.#child.disconnect();
    await this.#exited;
    clearTimeout(timer);
  }
}

interface Deferred<T> {
  readonly promise: Promise<T>;
  readonly resolve: (value: T) => void;
  readonly reject: (reason: Error) => void;
}

function deferred<T>(): Deferred<T> {
  let resolve!: (value: T) => void;
  let reject!: (reason: Error) => void;
  const promise = new Promise<T>((onResolve, onReject) => {
    resolve = onResolve;
    reject = onReject;
  });
  return { promise, resolve, reject };
}
