import { connect, type Socket } from 'node:net';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { sleep } from '../support/sleep.ts';

/** Which way bytes go: `up` from client to server, `down` back. */
export type Direction = 'up' | 'down' | 'both';

export interface Faults {
  latencyMs: number;
  drop: Direction | undefined;
  hold: boolean;
  sliceBytes: number;
  /** How many bytes of replies still pass before a connection is reset. */
  resetAfter: number;
}

export const noFaults: Readonly<Faults> = {
  latencyMs: 0,
  drop: undefined,
  hold: false,
  sliceBytes: Infinity,
  resetAfter: Infinity,
};

/** In which a client reads a few megabytes. */
const TURNS_TO_READ = 50;

interface Way {
  readonly name: Exclude<Direction, 'both'>;
  readonly from: Socket;
  readonly to: Socket;
}

/** A client's connection and the one to the server that belongs to it. */
export class ProxiedConnection {
  readonly #client: Socket;
  readonly #server: Socket;
  readonly #faults: Faults;
  #lost = false;
  #release: (() => void) | undefined;
  #released: Promise<void> | undefined;

  constructor(client: Socket, target: { readonly host?: string; readonly port: number }, faults: Faults) {
    this.#client = client;
    this.#server = connect({ host: target.host ?? '127.0.0.1', port: target.port, allowHalfOpen: true, noDelay: true });
    this.#faults = faults;
    this.#relay({ name: 'up', from: this.#client, to: this.#server });
    this.#relay({ name: 'down', from: this.#server, to: this.#client });
  }

  get clientOpen(): boolean {
    return !this.#client.destroyed;
  }

  get closed(): boolean {
    return this.#client.closed && this.#server.closed;
  }

  /** Ends faults that lie in the past: what was held goes on, and a connection that lost something is reset. */
  recover(): void {
    if (this.#lost) this.reset();
    this.#release?.();
    this.#release = undefined;
    this.#released = undefined;
  }

  reset(): void {
    this.#client.resetAndDestroy();
    this.#server.resetAndDestroy();
  }

  /** Passes on what happens at one end, one event after the other. */
  #relay(way: Way): void {
    let last: Promise<void> = Promise.resolve();
    const next = (pass: () => void | Promise<void>): void => {
      const at = performance.now();
      last = last.then(async () => {
        await this.#delay(at);
        if (this.#drops(way)) this.#lost = true;
        else await pass();
      });
    };
    way.from.on('error', () => {});
    way.from.on('data', (data: Buffer) => next(() => this.#send(way, data)));
    way.from.on('end', () => next(() => void way.to.end()));
    way.from.on('close', (failed: boolean) => next(() => (failed ? this.reset() : way.to.destroySoon())));
  }

  async #delay(at: number): Promise<void> {
    const ms = at + this.#faults.latencyMs - performance.now();
    if (this.#faults.latencyMs > 0 && ms > 0) await sleep(ms);
    while (this.#faults.hold) {
      this.#released ??= new Promise((resolve) => {
        this.#release = resolve;
      });
      await this.#released;
    }
  }

  #drops(way: Way): boolean {
    return this.#faults.drop === 'both' || this.#faults.drop === way.name;
  }

  async #send(way: Way, data: Buffer): Promise<void> {
    const size = Math.min(this.#faults.sliceBytes, data.length);
    for (let start = 0; start < data.length && way.to.writable; start += size) {
      if (start > 0) await nextTurn();
      const piece = data.subarray(start, start + size);
      if (way.name === 'down' && piece.length > this.#faults.resetAfter) {
        const last = piece.subarray(0, this.#faults.resetAfter);
        this.#faults.resetAfter = Infinity;
        await new Promise((resolve) => way.to.write(last, resolve));
        // A reset that overtakes the reading of what passed takes it away, and may look like an orderly end. Most clients are in
        // this process, and read a part of it in each turn.
        for (let turn = 0; turn < TURNS_TO_READ; turn++) await nextTurn();
        await sleep(10);
        return this.reset();
      }
      if (way.name === 'down') this.#faults.resetAfter -= piece.length;
      way.to.write(piece);
    }
  }
}
