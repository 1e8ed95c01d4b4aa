import { createTiers, type Scope, type WriteBehindItem } from '@tierkit/cache';
import { sleep } from '../support/sleep.ts';
import { seededRandom } from '../coherence/random.ts';
import {
  KEYS,
  QUEUE,
  SCOPES,
  TIMES,
  type FromWriter,
  type Row,
  type ToWriter,
  type WriterSettings,
} from './protocol.ts';

/** Writes that are under way at the same time. */
const AT_ONCE = 40;

const { redis, prefix, name, seed, writes }: WriterSettings = JSON.parse(process.argv[2] ?? '{}');
const random = seededRandom(seed);
const tell = (message: FromWriter): void => void process.send?.(message);

const flushing = new Map<number, { resolve: () => void; reject: (error: Error) => void }>();
let calls = 0;
process.on('message', ({ call, failed }: ToWriter) => {
  if (failed) flushing.get(call)?.reject(new Error('the database refused it'));
  else flushing.get(call)?.resolve();
  flushing.delete(call);
});
process.on('disconnect', () => process.exit());

const tiers = createTiers({ redis, prefix });
await tiers.ready('15s');
const queue = tiers.writeBehind(QUEUE, {
  ...TIMES,
  flush: (batch: readonly WriteBehindItem<string>[]) =>
    new Promise<void>((resolve, reject) => {
      const call = calls++;
      flushing.set(call, { resolve, reject });
      const rows = batch.map(({ scope = '', key, value, version }): Row => {
        return { id: `${scope}/${String(key)}`, version, value: value ?? null };
      });
      tell({ kind: 'flush', call, rows });
    }),
});

const unsaid: Row[] = [];
/** Together, what came in one turn. */
const acknowledge = (row: Row): void => {
  if (unsaid.push(row) === 1) setImmediate(() => tell({ kind: 'acknowledged', rows: unsaid.splice(0) }));
};

let left = writes;
let count = 0;
await Promise.all(
  Array.from({ length: AT_ONCE }, async () => {
    while (left-- > 0) await write();
  }),
);

/** One write, again and again until it is acknowledged; which of the attempts took effect nobody knows. */
async function write(): Promise<void> {
  const n = Math.floor(random() * KEYS);
  const project = `p${n % SCOPES}`;
  const scope: Scope = n % SCOPES === 0 ? tiers.global : tiers.project(project);
  const id = `${n % SCOPES === 0 ? '' : project}/k${n}`;
  const deletes = random() < 0.1;
  for (;;) {
    const value = `${name}:${count++}`;
    try {
      const version = deletes
        ? await scope.deleteBehind(`k${n}`, queue)
        : await scope.writeBehind(`k${n}`, value, queue);
      return acknowledge({ id, version, value: deletes ? null : value });
    } catch {
      await sleep(20);
    }
  }
}
