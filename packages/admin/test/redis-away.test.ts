import { durable } from '@tierkit/bus';
import { fixedWindow } from '@tierkit/rate-limit';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startRedis, until, type StandaloneRedis } from '../../../test/servers/index.ts';
import { routesOf } from '../src/create-admin.ts';
import { ask, setup, type Setup } from './support.ts';

let redis: StandaloneRedis;
let own: Setup;

/** A kit with one of everything, which waits for Redis as long as services do. */
beforeAll(async () => {
  redis = await startRedis();
  own = await setup({ url: redis.url });
  const { kit } = own;
  const bus = kit.bus({ some: durable<string>() });
  await bus.publish('some', 'event');
  const limiter = kit.rateLimit('some', [fixedWindow({ limit: 3, per: '1h' })]);
  await limiter.consume('some');
  await kit.quota({ calls: { per: 'day', limit: 5 } }, { prefix: 'some:' }).add('some', { calls: 1 });
  await kit.locks.ready('10s');
});
afterAll(async () => {
  await redis.stop();
  await own.close();
});

const QUERIES: Readonly<Record<string, string>> = { 'delete /api/v1/cache/tags': '?tag=some' };

/** Calls every route there is. */
async function askAll(): Promise<{ route: string; status: number; type: string; ms: number; body: unknown }[]> {
  const answers = [];
  for (const { method, path } of routesOf(own.admin)) {
    const route = `${method} ${path}`;
    const init = method === 'post' ? { body: '{}', headers: { 'content-type': 'application/json' } } : {};
    const startedAt = performance.now();
    const asked = path.replaceAll(/\{\w+\}/g, 'some') + (QUERIES[route] ?? '');
    const { status, headers, body } = await ask(own.admin, method.toUpperCase(), asked, 'admin with values', init);
    answers.push({ route, status, type: headers.get('content-type') ?? '', ms: performance.now() - startedAt, body });
  }
  return answers;
}

it.each(['frozen', 'gone'])('answers on every route while Redis is %s, and when it is back', async (how) => {
  await until('Redis takes it', () => own.kit.global.set('some', 'value', { tags: ['some'] }));
  for (const { route, status } of await askAll()) expect([route, status]).toEqual([route, 200]);
  if (how === 'frozen') redis.process.signal('SIGSTOP');
  else await redis.process.end();
  const answers = await askAll();
  for (const { route, status, type, ms, body } of answers) {
    expect([route, [200, 503, 504].includes(status)]).toEqual([route, true]);
    if (status !== 200) {
      const { detail, ...problem } = body as { readonly status: number; readonly detail?: string };
      // What a connection says of itself is for the log.
      expect([route, type, problem.status, detail]).toEqual([
        ...[route, expect.stringContaining('problem+json'), status, undefined],
      ]);
    }
    // No answer takes more than a few deadlines of 300 ms; the rest is for a machine that is busy.
    expect([route, ms < 5_000]).toEqual([route, true]);
  }
  const healthy = answers.filter(
    ({ route }) => /health|stats$|^get .*history$/.test(route) && !route.includes('lock-'),
  );
  expect(healthy.filter(({ route }) => route.startsWith('get')).map(({ status }) => status)).toEqual([
    ...[200, 200, 200, 200, 200],
  ]);
  expect(answers.find(({ route }) => route === 'get /health')?.body).toMatchObject({ status: 'down' });
  if (how === 'gone') {
    await until('it is said that changes are not heard of', async () => {
      const { body } = await ask(own.admin, 'GET', '/health/detailed');
      return (body as { checks: { coherence: { status: string } } }).checks.coherence.status === 'down';
    });
  }
  const confirmed = answers.filter(({ body }) => (body as { confirmed?: boolean } | undefined)?.confirmed === true);
  expect(confirmed).toEqual([]);
  expect(answers.filter(({ status }) => status !== 200).length).toBeGreaterThan(8);
  if (how === 'frozen') redis.process.signal('SIGCONT');
  else await redis.process.start();
  await until('Redis is back', async () => (await ask(own.admin, 'GET', '/api/v1/cache/keys')).status === 200);
  await until('what was not confirmed is made up for', () => own.kit.stats().unconfirmedScopes === 0);
});
