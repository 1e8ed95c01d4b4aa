import { createLimiter, gcra } from '@tierkit/rate-limit';

// A provider that takes 2 requests a second, evenly: callers wait their turn instead of being refused there.
const provider = createLimiter('provider', [gcra({ limit: 2, per: '1s', burst: 1 })], { redis: 'memory' });

const startedMs = performance.now();
const answers = await Promise.all(Array.from({ length: 2 }, () => provider.wait('key-1', { timeout: '5s' })));
console.log('allowed:', answers.filter(({ allowed }) => allowed).length);
console.log('took 500 ms at least:', performance.now() - startedMs >= 499);
console.log('in time for a deadline of 1 ms:', (await provider.wait('key-1', { timeout: 1 })).allowed);
await provider.close();
