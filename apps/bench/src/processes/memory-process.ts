import { bytesPerEntry, type Filled } from '../bytes-per-entry.ts';
import { fileTree } from '../payload.ts';
import { countCommands } from '../redis-commands.ts';
import { neverNeeded } from '../runner.ts';
import { memorySubject } from '../subjects/memory-subjects.ts';
import { answerOrders } from './orders.ts';

export interface MemoryOrder {
  readonly subject: string;
  readonly port: number;
  readonly entries: number;
  readonly valueBytes: number;
}

const AT_ONCE = 100;
let filled = 0;

/** Answers the bytes that an entry takes in this process, which runs with --expose-gc. */
answerOrders(async (order: MemoryOrder): Promise<number> =>
  bytesPerEntry((entries) => fill(order, entries), order.entries, heldBytes),
);

async function fill({ subject, port, valueBytes }: MemoryOrder, entries: number): Promise<Filled> {
  const tags: string[] = [];
  const cache = await memorySubject(subject).open({ level: 'l1', operation: 'get', port, maxEntries: entries, tags });
  if ('absent' in cache) throw new Error(cache.absent);
  const run = filled++;
  const key = (index: number): string => `fill${run}:file:${index}`;
  const inBatches = async (act: (index: number) => Promise<unknown>): Promise<void> => {
    for (let from = 0; from < entries; from += AT_ONCE)
      await Promise.all(Array.from({ length: Math.min(AT_ONCE, entries - from) }, (_, i) => act(from + i)));
  };
  await inBatches((index) => cache.write(key(index), fileTree(index, valueBytes)));
  const read = (index: number): Promise<unknown> => cache.read(key(index), neverNeeded);
  await inBatches(read);
  const commands = await countCommands(port);
  const before = await commands.total();
  await inBatches(read);
  // A heartbeat may fall among the reads.
  if ((await commands.total()) - before > entries / 10) throw new Error('it does not hold its entries in process');
  commands.close();
  return cache;
}

async function heldBytes(): Promise<number> {
  for (let i = 0; i < 4; i++) {
    globalThis.gc?.();
    await new Promise(setImmediate);
  }
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}
