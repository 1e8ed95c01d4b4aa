import { randomUUID } from 'node:crypto';
import { afterEach } from 'vitest';
import {
  createBus,
  type Bus,
  type BusEvent,
  type BusOptions,
  type Channels,
  type EventSubscription,
} from '../src/index.ts';

export interface World {
  /** A bus of its own on the backend of the test, with its prefix. */
  bus<const C extends Channels>(channels: C, options?: Partial<BusOptions>): Promise<Bus<C>>;
  prefix(): string;
}

/** Buses that share a prefix for the length of a test. */
export function world(backend: () => BusOptions['redis']): World {
  const ends: (() => Promise<void>)[] = [];
  let prefix = '';
  afterEach(async () => {
    await Promise.all(ends.splice(0).map((end) => end()));
    prefix = '';
  });
  const current = (): string => (prefix ||= `t${randomUUID()}:`);
  return {
    async bus(channels, options = {}) {
      // A machine that is busy for some seconds is not to look like a lost connection.
      const bus = createBus(channels, { redis: backend(), prefix: current(), feedTimeout: '20s', ...options });
      ends.push(() => bus.close());
      await bus.ready();
      return bus;
    },
    prefix: current,
  };
}

/** The next so many events, as their data. */
export async function taken(subscription: EventSubscription<BusEvent>, count: number): Promise<unknown[]> {
  const data: unknown[] = [];
  while (data.length < count) {
    const { value } = await subscription.next();
    if (value === undefined) break;
    data.push(value.data);
  }
  return data;
}
