// Closes a kit whose callers wait: for a load that another process has begun and never ends, and for a feed that never
// becomes live. The process then has to end by itself. argv: the `redis` option, and the prefix of the other process.
import { createTierkit } from '../../src/index.ts';

const [redis = '', prefix = ''] = process.argv.slice(2);
const kit = createTierkit({ redis, prefix });
await kit.ready();
let loads = 0;
const waiting = kit.session('abc').getOrSet('held', () => ++loads);
const without = createTierkit({ redis: 'redis://127.0.0.1:1', prefix });
const settled = Promise.allSettled([waiting, without.ready('1h')]);
// Long enough to ask, and to be told that somebody loads.
await new Promise((resolve) => setTimeout(resolve, 300));
const stored = loads === 0;

const startedMs = performance.now();
await Promise.all([kit.close(), without.close()]);
const closedMs = performance.now() - startedMs;
const [held, feed] = await settled;
const loaded = `${held.status} ${feed.status}`;
process.stdout.write(`${JSON.stringify({ stored, loaded, closedMs })}\n`);
