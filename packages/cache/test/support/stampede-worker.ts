import { createTiers, type LoadOptions } from '@tierkit/cache';
import { sleep } from '../../../../test/support/sleep.ts';
import type { FromLoader, ToLoader } from './stampede.ts';

const [url = '', prefix = '', lease = ''] = process.argv.slice(2);
// With four such processes at once Redis may answer late, which is not what is tested.
const redis = { url, commandTimeout: 3_000, socketTimeout: 6_000 };
const tiers = createTiers({ redis, prefix, load: { lease } });
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
