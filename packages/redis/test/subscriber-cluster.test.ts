import { Redis } from 'ioredis';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ask, startCluster, until, type RedisCluster } from '../../../test/servers/index.ts';
import { createRedis, createSubscriber, slotOf, type RedisConnection, type Subscriber } from '../src/index.ts';

let cluster: RedisCluster;
let redis: RedisConnection;
let subscriber: Subscriber;

beforeAll(async () => {
  cluster = await startCluster();
  redis = createRedis({ cluster: cluster.nodes });
  await redis.ready();
  subscriber = createSubscriber(redis, { timeoutMs: 1_500 });
});
afterAll(async () => {
  subscriber.close();
  await redis.close();
  await cluster.stop();
});

/** One channel for each master at the start. */
const channels = ['a', 'b', 'c', 'd', 'e', 'f'].map((tag) => `news:{${tag}}`);

interface Heard {
  readonly channel: string;
  readonly log: string[];
}

function listen(channel: string): {
  readonly heard: Heard;
  readonly subscription: ReturnType<Subscriber['subscribe']>;
} {
  const log: string[] = [];
  const subscription = subscriber.ssubscribe(channel, {
    onMessage: (message) => void log.push(message.toString()),
    onLive: () => void log.push('live'),
    onLost: () => void log.push('lost'),
  });
  return { heard: { channel, log }, subscription };
}

const spublish = (channel: string, message: string): Promise<unknown> =>
  redis.execute((client) => client.spublish(channel, message));

/** Publishes until the message has arrived, since a publisher may not know yet where the slot is. */
async function arrives({ channel, log }: Heard, message: string): Promise<void> {
  await until(`${message} arrives`, async () => {
    await spublish(channel, message).catch(() => undefined);
    return log.includes(message);
  });
}

const connections = async (): Promise<number> => {
  const lists = await Promise.all(
    cluster.processes.filter(({ running }) => running).map(({ port }) => ask(port, 'CLIENT', 'LIST')),
  );
  return lists.join('\n').match(/ ssub=[1-9]/g)?.length ?? 0;
};

test('sharded channels have one connection for each master, which ends with the last of them', async () => {
  const all = channels.map(listen);
  await Promise.all(all.map(({ subscription }) => subscription.ready(5_000)));
  const owners = new Set(await Promise.all(channels.map((channel) => cluster.masterOf(channel))));
  expect(owners.size).toBeGreaterThan(1);
  expect(await connections()).toBe(owners.size);
  expect(subscriber.shardPublish).toBe('SPUBLISH');
  for (const { heard } of all) {
    expect(await spublish(heard.channel, 'x')).toBe(1);
    await until('it arrives', () => heard.log.length === 2);
    expect(heard.log).toEqual(['live', 'x']);
  }
  for (const { subscription } of all) subscription.off();
  await until('no connection is left', async () => (await connections()) === 0);
});

test('a subscription follows its slot to another master; others hear nothing of it', async () => {
  const [moving = '', ...rest] = channels;
  const from = await cluster.masterOf(moving);
  const neighbour = `other:{${await tagOn(from, slotOf(moving))}}`;
  const moved = listen(moving);
  const stays = [neighbour, ...rest].map(listen);
  await Promise.all([moved, ...stays].map(({ subscription }) => subscription.ready(5_000)));
  const to = (from + 1) % 3;
  for (let i = 0; i < 2; i++) {
    const [source, target] = i === 0 ? [from, to] : [to, from];
    await moveSlot(slotOf(moving), source, target);
    await until('the move is told', () => moved.heard.log.filter((line) => line === 'lost').length > i);
    await moved.subscription.ready(10_000);
    await arrives(moved.heard, `after move ${i}`);
  }
  for (const { heard } of stays) {
    await arrives(heard, 'still');
    expect(heard.log[0]).toBe('live');
    expect(heard.log).not.toContain('lost');
  }
  for (const { subscription } of [moved, ...stays]) subscription.off();
});

test('a plain channel is heard from whichever node a message comes', async () => {
  const heard: string[] = [];
  await subscriber.subscribe('plain', { onMessage: (message) => void heard.push(message.toString()) }).ready(5_000);
  for (const { port } of cluster.nodes) {
    const node = new Redis(port);
    await node.publish('plain', String(port));
    node.disconnect();
  }
  await until('all arrive', () => heard.length === cluster.nodes.length);
  expect(heard.toSorted()).toEqual(cluster.nodes.map(({ port }) => String(port)).toSorted());
});

test('a failover is told to those on the lost master, and only to them', async () => {
  const all = channels.map(listen);
  await Promise.all(all.map(({ subscription }) => subscription.ready(5_000)));
  const owners = await Promise.all(channels.map((channel) => cluster.masterOf(channel)));
  const lost = owners[0] ?? 0;
  await cluster.processes[lost]?.end();
  const [hit, spared] = [all.filter((_, i) => owners[i] === lost), all.filter((_, i) => owners[i] !== lost)];
  await until('the loss is told', () => hit.every(({ heard }) => heard.log.includes('lost')));
  await Promise.all(hit.map(({ subscription }) => subscription.ready(15_000)));
  for (const { heard } of hit) await arrives(heard, 'after the failover');
  expect(spared.length).toBeGreaterThan(0);
  for (const { heard } of spared) expect(heard.log).toEqual(['live']);
});

/** A hash tag whose slot another one shares the master with. */
async function tagOn(master: number, notSlot: number): Promise<string> {
  for (let i = 0; ; i++) {
    if (slotOf(`{t${i}}`) !== notSlot && (await cluster.masterOf(`{t${i}}`)) === master) return `t${i}`;
  }
}

async function moveSlot(slot: number, from: number, to: number): Promise<void> {
  const port = (index: number): number => cluster.nodes[index]?.port ?? 0;
  const ids = await Promise.all([from, to].map((index) => ask(port(index), 'CLUSTER', 'MYID')));
  const [source, target] = ids.map(String) as [string, string];
  await ask(port(to), 'CLUSTER', 'SETSLOT', slot, 'IMPORTING', source);
  await ask(port(from), 'CLUSTER', 'SETSLOT', slot, 'MIGRATING', target);
  for (const index of [to, from]) await ask(port(index), 'CLUSTER', 'SETSLOT', slot, 'NODE', target);
}
