import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll } from 'vitest';
import {
  createTiers,
  type Scope,
  type Tiers,
  type TiersOptions,
  type WriteBehindItem,
  type WriteBehindOptions,
  type WriteBehindQueue,
} from '../src/index.ts';

export interface WriteBehindTarget {
  readonly name: string;
  readonly options: () => Promise<Pick<TiersOptions, 'redis' | 'durableRedis'>>;
}

/** A sink that can be told to fail, and remembers what it was given. */
export class Sink {
  readonly batches: WriteBehindItem[][] = [];
  readonly rows = new Map<string, WriteBehindItem>();
  fails: (batch: readonly WriteBehindItem[]) => boolean = () => false;
  gate: Promise<void> = Promise.resolve();

  readonly flush = async (batch: readonly WriteBehindItem[]): Promise<void> => {
    this.batches.push([...batch]);
    await this.gate;
    if (this.fails(batch)) throw new Error('the sink failed');
    for (const item of batch) {
      const id = `${item.tier}/${item.scope}/${String(item.key)}`;
      const known = this.rows.get(id);
      if (known === undefined || known.version < item.version) this.rows.set(id, item);
    }
  };

  value(id: string): unknown {
    return this.rows.get(id)?.value;
  }

  /** What is given from now on waits until the returned function is called. */
  hold(): () => void {
    let open = (): void => {};
    this.gate = new Promise((resolve) => (open = resolve));
    return open;
  }
}

export interface WriteBehindWorld {
  /** Whether another instance has the same data: memory is that of one. */
  readonly shared: boolean;
  readonly prefix: string;
  tiers(): Tiers;
  /** Another instance. */
  open(): Promise<Tiers>;
  /** A queue with a sink of its own, and a scope that nobody else uses. */
  fresh(options?: Partial<WriteBehindOptions>): {
    readonly sink: Sink;
    readonly id: string;
    readonly queue: WriteBehindQueue;
    readonly scope: Scope;
  };
}

/** Flushes nothing by itself. */
export const patient = { batch: { age: '1h' }, poll: '1h' } as const;

/** Instances on a target for the length of a `describe`. */
export function writeBehindWorld(target: WriteBehindTarget): WriteBehindWorld {
  let tiers: Tiers;
  let count = 0;
  const prefix = `w${randomBytes(6).toString('hex')}:`;
  const open = async (): Promise<Tiers> => {
    const opened = createTiers({ ...(await target.options()), prefix, reclaim: '50ms' });
    await opened.ready('10s');
    return opened;
  };
  beforeAll(async () => {
    tiers = await open();
  });
  afterAll(() => tiers.close());
  return {
    shared: target.name !== 'memory',
    prefix,
    tiers: () => tiers,
    open,
    fresh(options = {}) {
      const sink = new Sink();
      const id = `s${count++}`;
      const queue = tiers.writeBehind(`q${count}`, { flush: sink.flush, drainTimeout: '50ms', ...options });
      return { sink, id, queue, scope: tiers.session(id) };
    },
  };
}
