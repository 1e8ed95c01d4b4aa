// Uses a kit and closes it; the process then has to end by itself. argv: the `redis` option, `ready` to wait for it, and
// a server to send a signal to while the kit is in use.
import { fixedWindow } from '@tierkit/rate-limit';
import { createTierkit } from '../../src/index.ts';

const [redis = '', wait = 'ready', serverPid, signal] = process.argv.slice(2);
const prefix = `close-${process.pid}:`;
const kit = createTierkit({ redis, prefix });
if (wait === 'ready') await kit.ready();

const session = kit.session('abc');
const stored = await session.set('name', 'value');
const loaded = await session.getOrSet('loaded', () => 'from the loader');
const pending = session.getOrSet('slow', () => new Promise((resolve) => setImmediate(resolve, 'slow')));
// A session that is left in the middle of a load must not keep the process either.
void kit.project('p').getOrSet('hanging', () => new Promise(() => {}));
await pending;
// One that was denied listens for what is taken back.
const limiter = kit.rateLimit('api', [fixedWindow({ limit: 1, per: '1m' })]);
for (let i = 0; i < 3; i++) await limiter.consume('ann');
if (serverPid !== undefined) process.kill(Number(serverPid), signal);
// Closing with calls on their way is what a signal handler does.
const unanswered = [session.set('late', 1), session.get('name'), kit.global.delete('x'), kit.global.clear()];

const startedMs = performance.now();
await kit.close();
await kit.close();
const closedMs = performance.now() - startedMs;
await Promise.all(unanswered);
process.stdout.write(`${JSON.stringify({ stored, loaded, closedMs })}\n`);
