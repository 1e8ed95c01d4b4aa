import { createTiers, type LoadOptions } from '@tierkit/cache';
import { setTimeout as sleep } from 'node:timers/promises';
import type { FromLoader, ToLoader } from './stampede.ts';

const [url = '', prefix = '', lease = ''] = process.argv.slice(2);
const tiers = createTiers({ redis: url, prefix, load: { lease } });
const tell = (message: FromLoader): void => void process.send?.(message);

process.on('message', (message: ToLoader) => {
  if (message === 'stop') void tiers.close().then(() => process.disconnect());
  else void call(message);
});

/** All callers at once; the parent hears when this process begins to load. */
async function call({ key, callers, loadMs, fails, grace }: Exclude<ToLoader, 'stop'>): Promise<void> {
  const load = async (): Promise<string> => {
    tell({ kind: 'loading' });
    await sleep(loadMs);
    tell({ kind: 'loaded' });
    if (fails) throw new RangeError('the source is down');
    return `of ${process.pid}`;
  };
  const options: LoadOptions = grace === undefined ? {} : { grace };
  const answers = await Promise.allSettled(
    Array.from({ length: callers }, () => tiers.global.getOrSet(key, load, options)),
  );
  const texts = answers.map((answer) =>
    answer.status === 'fulfilled' ? answer.value : String((answer.reason as { code?: string }).code ?? answer.reason),
  );
  tell({ kind: 'answered', count: texts.length, answers: [...new Set(texts)] });
}

await tiers.ready('20s');
tell({ kind: 'ready' });
