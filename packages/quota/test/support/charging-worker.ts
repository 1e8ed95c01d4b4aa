import { createQuota } from '@tierkit/quota';
import type { FromCharger, ToCharger } from './charging-process.ts';

const [url = '', prefix = ''] = process.argv.slice(2);
let told = 0;
const quota = createQuota(
  {
    calls: { per: { name: 'century', every: '36500d' }, limit: 2_000, thresholds: [0.25, 0.5, 0.8, 1] },
    tokens: { per: { name: 'century', every: '36500d' }, limit: 5_000, overflow: 'partial' },
    stored_bytes: { gauge: true, limit: 100 },
  },
  { redis: { url, commandTimeout: '10s' }, prefix, onThreshold: () => void told++ },
);
const tell = (message: FromCharger): void => void process.send?.(message);

process.on('message', (message: ToCharger) => {
  if (message === 'stop') void quota.close().then(() => process.disconnect());
  else void run(message.subject);
});

/** Some callers charge until they are refused; others hold, and commit what they held or less, or let go. */
async function run(subject: string): Promise<void> {
  const counted = { calls: 0, tokens: 0 };
  const charge = async (caller: number): Promise<void> => {
    for (let i = 0; ; i++) {
      const id = `${process.pid}-${caller}-${i}`;
      const charged = await quota.add(subject, { calls: 1, tokens: 1 + (i % 5) }, { id });
      if (!charged.allowed) return;
      counted.calls += charged.charged.calls;
      counted.tokens += charged.charged.tokens;
      if (i % 3 === 0) await quota.add(subject, { calls: 1, tokens: 1 + (i % 5) }, { id });
    }
  };
  const hold = async (): Promise<void> => {
    for (let i = 0; ; i++) {
      const { hold } = await quota.reserve(subject, { calls: 4 });
      if (hold === undefined) return;
      if (i % 3 === 0) await hold.release();
      else {
        const { charged } = await hold.commit({ calls: i % 4 });
        counted.calls += charged.calls ?? 0;
      }
    }
  };
  await Promise.all([...Array.from({ length: 8 }, (_, caller) => charge(caller)), hold(), hold()]);
  // Holds of others that were let go have left room.
  for (;;) {
    const { allowed } = await quota.add(subject, { calls: 1 });
    if (!allowed) break;
    counted.calls++;
  }
  tell({ kind: 'done', told, ...counted });
}

await quota.ready('20s');
tell({ kind: 'ready' });
