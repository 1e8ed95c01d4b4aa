import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, it } from 'vitest';
import { sleep } from '../../../test/support/sleep.ts';
import { createTiers } from '../src/index.ts';

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

it('keeps what is in L1 when nobody holds the scope and the garbage collector has been there', async () => {
  const tiers = createTiers({ redis: 'memory' });
  await tiers.project('p').set('a', 1);
  expect(await tiers.project('p').get('a')).toBe(1);
  for (let round = 0; round < 3; round++) {
    await sleep(20);
    collectGarbage();
  }
  expect(tiers.project('p').peek('a')).toBe(1);
  await tiers.close();
});
