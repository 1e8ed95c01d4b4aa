import { randomUUID } from 'node:crypto';
import { silentLogger, type TierkitError } from '@tierkit/core';
import { Redis } from 'ioredis';
import { afterEach, expect, inject, onTestFinished, test } from 'vitest';
import { startRedis, until, type StandaloneRedis } from '../../../test/servers/index.ts';
import {
  createRedis,
  createSubscriber,
  type RedisConnection,
  type Subscriber,
  type SubscriberOptions,
  type Subscription,
} from '../src/index.ts';

const ends: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).toReversed()) await end();
});

function connect(url: string): RedisConnection {
  const redis = createRedis(url);
  ends.push(() => redis.close());
  return redis;
}

function subscriberOn(redis: RedisConnection, options: SubscriberOptions = {}): Subscriber {
  const subscriber = createSubscriber(redis, { prefix: `t${randomUUID()}:`, ...options });
  ends.push(() => subscriber.close());
  return subscriber;
}

async function ownServer(args: readonly string[] = []): Promise<StandaloneRedis> {
  const server = await startRedis(args);
  onTestFinished(() => server.stop());
  return server;
}

const publish = (redis: RedisConnection, channel: string, message: string | Buffer): Promise<number> =>
  redis.execute((client) => client.publish(channel, message));

const listeners = async (redis: RedisConnection, channel: string): Promise<unknown> =>
  redis.execute(async (client) => (await client.pubsub('NUMSUB', channel))[1]);

function recorded(): { readonly log: string[]; readonly listener: Parameters<Subscriber['subscribe']>[1] } {
  const log: string[] = [];
  const listener = {
    onMessage: (message: Buffer, channel: string) => void log.push(`${channel.slice(-1)}=${message.toString()}`),
    onLive: () => void log.push('live'),
    onLost: () => void log.push('lost'),
  };
  return { log, listener };
}

const readyAll = (subscriptions: readonly Subscription[]): Promise<unknown> =>
  Promise.all(subscriptions.map((subscription) => subscription.ready(5_000)));

test('listeners of one channel share one subscription, which ends with the last of them', async () => {
  const redis = connect(inject('redisUrl'));
  const subscriber = subscriberOn(redis);
  const channel = `${randomUUID()}:é😀`;
  const [one, two] = [recorded(), recorded()];
  const subscriptions = [subscriber.subscribe(channel, one.listener), subscriber.subscribe(channel, two.listener)];
  await readyAll(subscriptions);
  expect(await publish(redis, channel, 'a')).toBe(1);
  await until('both hear', () => one.log.length === 2 && two.log.length === 2);
  expect(one.log).toEqual(['live', `${channel.slice(-1)}=a`]);
  subscriptions[0]?.off();
  expect(await publish(redis, channel, 'b')).toBe(1);
  await until('the other still hears', () => two.log.length === 3);
  expect(one.log).toHaveLength(2);
  subscriptions[1]?.off();
  await until('nobody is subscribed', async () => Number(await listeners(redis, channel)) === 0);
  expect(subscriptions.map(({ live }) => live)).toEqual([false, false]);
});

test('what is published once a subscription is ready arrives, in order and byte for byte', async () => {
  const redis = connect(inject('redisUrl'));
  const subscriber = subscriberOn(redis);
  const prefix = `${randomUUID()}:`;
  for (let round = 0; round < 20; round++) {
    const bytes: Buffer[] = [];
    const matched: string[] = [];
    const channel = `${prefix}${round}:x`;
    const subscriptions = [
      subscriber.subscribe(channel, { onMessage: (message) => void bytes.push(message) }),
      subscriber.psubscribe(`${prefix}${round}:*`, { onMessage: (_, name) => void matched.push(name) }),
    ];
    await readyAll(subscriptions);
    const sent = [Buffer.from([0, 255, round]), Buffer.alloc(0), Buffer.from('end')];
    for (const message of sent) await publish(redis, channel, message);
    await until('all arrive', () => bytes.length === 3 && matched.length === 3);
    expect(bytes).toEqual(sent);
    expect(new Set(matched)).toEqual(new Set([channel]));
    for (const subscription of subscriptions) subscription.off();
  }
});

test('a channel that is taken up again at once is in effect', async () => {
  const redis = connect(inject('redisUrl'));
  const subscriber = subscriberOn(redis);
  const channel = randomUUID();
  for (let i = 0; i < 50; i++) {
    const { log, listener } = recorded();
    const subscription = subscriber.subscribe(channel, listener);
    await subscription.ready(5_000);
    await publish(redis, channel, String(i));
    await until('it arrives', () => log.length === 2);
    expect(log[1]).toMatch(new RegExp(`=${i}$`));
    subscription.off();
  }
});

test('a lost connection is told, and everything is in effect again before onLive', async () => {
  const server = await ownServer();
  const redis = connect(server.url);
  const subscriber = subscriberOn(redis);
  const [a, b, pattern] = [recorded(), recorded(), recorded()];
  const first = subscriber.subscribe('a', a.listener);
  await first.ready(5_000);
  // Added while live: these must survive as well.
  await readyAll([subscriber.subscribe('x.b', b.listener), subscriber.psubscribe('*.b', pattern.listener)]);
  const admin = new Redis(server.url);
  onTestFinished(() => admin.disconnect());
  for (let i = 1; i <= 3; i++) {
    await admin.call('CLIENT', 'KILL', 'TYPE', 'pubsub');
    await until('the loss is told', () => a.log.filter((line) => line === 'lost').length === i);
    await first.ready(5_000);
    await publish(redis, 'x.b', String(i));
    await until('messages arrive again', () => pattern.log.at(-1) === `b=${i}`);
  }
  const lives = Array.from({ length: 3 }, () => ['lost', 'live']).flat();
  expect(a.log).toEqual(['live', ...lives]);
  for (const { log } of [b, pattern]) {
    expect(log).toEqual(['live', ...[1, 2, 3].flatMap((i) => ['lost', 'live', `b=${i}`])]);
  }
});

test('a frozen server is a loss', async () => {
  const server = await ownServer();
  const redis = connect(server.url);
  const { log, listener } = recorded();
  const subscription = subscriberOn(redis, { timeoutMs: 600 }).subscribe('a', listener);
  await subscription.ready(5_000);
  server.process.signal('SIGSTOP');
  await until('the loss is told', () => log.includes('lost'));
  expect(subscription.live).toBe(false);
  server.process.signal('SIGCONT');
  await subscription.ready(10_000);
  expect(log).toEqual(['live', 'lost', 'live']);
});

test('a channel that is refused leaves the others alone, and is in effect once it is allowed', async () => {
  const server = await ownServer();
  const admin = new Redis(server.url);
  onTestFinished(() => admin.disconnect());
  await admin.call('ACL', 'SETUSER', 'app', 'on', '>pw', '~*', 'resetchannels', '&app:*', '+@all');
  const redis = connect(server.url.replace('//', '//app:pw@'));
  const warnings: string[] = [];
  const logger = { ...silentLogger, warn: (_: object, message: string) => void warnings.push(message) };
  const subscriber = subscriberOn(redis, { prefix: 'app:', timeoutMs: 900, name: 'test', logger });
  const [allowed, refused] = [recorded(), recorded()];
  const early = subscriber.subscribe('other:1', refused.listener);
  await subscriber.subscribe('app:1', allowed.listener).ready(5_000);
  const late = subscriber.subscribe('other:2', refused.listener);
  // While it is asked for anew, there is no answer to tell.
  const isRefused = (subscription: Subscription): Promise<boolean> =>
    subscription.ready(100).then(
      () => false,
      ({ code, cause }: TierkitError) =>
        code === 'ERR_REDIS_UNAVAILABLE' && (cause as TierkitError | undefined)?.details['reply'] === 'NOPERM',
    );
  await until('the refusal of the first is told', () => isRefused(early));
  await until('the refusal of the second is told', () => isRefused(late));
  expect(warnings).toContain('cannot subscribe to the test');
  await admin.call('ACL', 'SETUSER', 'app', '&other:*');
  await readyAll([early, late]);
  expect(allowed.log).toEqual(['live']);
});

test('a listener that throws is logged and disturbs nobody', async () => {
  const redis = connect(inject('redisUrl'));
  const errors: string[] = [];
  const logger = { ...silentLogger, error: (_: object, message: string) => void errors.push(message) };
  const subscriber = subscriberOn(redis, { logger, name: 'test' });
  const channel = randomUUID();
  const { log, listener } = recorded();
  const broken = (): never => {
    throw new Error('broken');
  };
  await readyAll([
    subscriber.subscribe(channel, { onMessage: broken, onLive: broken, onLost: broken }),
    subscriber.subscribe(channel, listener),
  ]);
  await publish(redis, channel, '1');
  await until('the other hears', () => log.length === 2);
  subscriber.close();
  expect(log.at(-1)).toBe('lost');
  expect(errors).toEqual(Array.from({ length: 3 }, () => 'a listener of the test threw'));
});

test('who subscribes while a message is delivered does not get that message', async () => {
  const redis = connect(inject('redisUrl'));
  const subscriber = subscriberOn(redis);
  const channel = randomUUID();
  const heard: string[] = [];
  const again = (depth: number): Subscription =>
    subscriber.subscribe(channel, {
      onMessage: (message) => {
        heard.push(`${depth}:${message.toString()}`);
        if (depth < 5) again(depth + 1);
      },
    });
  await again(0).ready(5_000);
  await publish(redis, channel, 'x');
  await publish(redis, channel, 'y');
  await until('both messages', () => heard.includes('1:y'));
  expect(heard).toEqual(['0:x', '0:y', '1:y']);
});

test('an ended subscriber says so', async () => {
  const redis = connect(inject('redisUrl'));
  const subscriber = subscriberOn(redis, { name: 'test' });
  const { log, listener } = recorded();
  const subscription = subscriber.subscribe(randomUUID(), listener);
  await subscription.ready(5_000);
  const waiting = subscriber.subscribe(randomUUID(), listener).ready(5_000);
  subscriber.close();
  const closed = { code: 'ERR_REDIS_UNAVAILABLE', message: 'the test was closed' };
  await expect(waiting).rejects.toMatchObject(closed);
  await expect(subscription.ready(100)).rejects.toMatchObject(closed);
  await expect(subscriber.subscribe('a', listener).ready(100)).rejects.toMatchObject(closed);
  expect(log).toEqual(['live', 'lost']);
  subscription.off();
  subscriber.close();
});

test('sharded channels without a Cluster are plain ones', async () => {
  const redis = connect(inject('redisUrl'));
  const subscriber = subscriberOn(redis);
  const channel = randomUUID();
  const { log, listener } = recorded();
  await subscriber.ssubscribe(channel, listener).ready(5_000);
  expect(subscriber.shardPublish).toBe('PUBLISH');
  await publish(redis, channel, '1');
  await until('it arrives', () => log.length === 2);
});
