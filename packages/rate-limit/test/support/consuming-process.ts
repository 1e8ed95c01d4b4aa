import { createLimiter, slidingWindow, tokenBucket } from '@tierkit/rate-limit';

const [url = '', prefix = '', calls = '0'] = process.argv.slice(2);
const policies = [
  slidingWindow({ limit: 150, per: '10m' }),
  tokenBucket({ capacity: 100, refill: 1, per: '1h' }),
] as const;
const limiter = createLimiter('burst', policies, { redis: url, prefix, timeout: '5s', onUnavailable: 'closed' });
await limiter.ready();
process.send?.('ready');
await new Promise((resolve) => process.once('message', resolve));
const results = await Promise.all(Array.from({ length: Number(calls) }, () => limiter.consume('everybody')));
await limiter.close();
process.send?.({
  allowed: results.filter(({ allowed }) => allowed).length,
  unanswered: results.filter(({ source }) => source === 'closed').length,
});
process.disconnect();
