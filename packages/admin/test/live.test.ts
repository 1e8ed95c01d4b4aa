import { afterAll, afterEach, beforeAll, describe, expect, inject, it } from 'vitest';
import { until } from '../../../test/servers/index.ts';
import { LiveStream } from '../src/live-feed.ts';
import { ask, bearer, setup, type Setup } from './support.ts';

interface Heard {
  readonly event: string;
  readonly data: Record<string, unknown>;
}

/** Reads a stream until it ends; `heard` grows meanwhile. */
async function watch(
  own: Setup,
  as: string,
): Promise<{ heard: Heard[]; stop: () => Promise<void>; ended: Promise<void> }> {
  const response = await own.admin.app.request('/api/v1/live', { headers: { authorization: `Bearer ${bearer(as)}` } });
  expect(response.headers.get('content-type')).toBe('text/event-stream');
  const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
  const heard: Heard[] = [];
  const reading = async (): Promise<void> => {
    let text = '';
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      text += value;
      for (let end = text.indexOf('\n\n'); end >= 0; end = text.indexOf('\n\n')) {
        const [, event = '', data = ''] = /^event: (\w+)\ndata: (.*)$/s.exec(text.slice(0, end)) ?? [];
        heard.push({ event, data: JSON.parse(data) as Record<string, unknown> });
        text = text.slice(end + 2);
      }
    }
  };
  const ended = reading();
  stops.push(() => reader.cancel());
  return { heard, stop: () => reader.cancel(), ended };
}

const stops: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0)) await stop();
});

describe.each(['memory', 'redis'])('live events on %s', (backend) => {
  let own: Setup;
  beforeAll(async () => {
    own = await setup(backend === 'redis' ? inject('redisUrl') : 'memory', { maxStreams: 2 });
  });
  afterAll(() => own.close());

  it('tells figures again and again, and changes as they happen', async () => {
    const { heard, stop } = await watch(own, 'viewer');
    // On a machine that is busy, Redis may not confirm in time.
    await until('Redis takes it', () => own.kit.project('p').set('k', 1));
    const changed = {
      event: 'change',
      data: { kind: 'keys', tier: 'project', scope: 'p', keys: ['k'], count: 1, own: true },
    };
    await until('the change is told', () => heard.some(({ event }) => event === 'change'));
    expect(heard).toContainEqual(changed);
    await until('figures are told again', () => heard.filter(({ event }) => event === 'stats').length >= 2);
    expect(heard.findLast(({ event }) => event === 'stats')?.data).toMatchObject({ tiers: { project: { writes: 1 } } });
    await stop();
  });

  it('tells no names of keys to whoever may not know them', async () => {
    const { heard, stop } = await watch(own, 'business edition');
    await own.kit.project('p').set('hidden', 1);
    await until('figures are told again', () => heard.length >= 2);
    expect(heard.every(({ event }) => event === 'stats')).toBe(true);
    await stop();
  });

  it('bounds how many streams are open, and opens others once some are closed', async () => {
    const streams = [await watch(own, 'viewer'), await watch(own, 'viewer')];
    expect(await ask(own.admin, 'GET', '/api/v1/live', 'viewer')).toMatchObject({
      status: 503,
      body: { code: 'ERR_ADMIN_BUSY' },
    });
    for (const { stop } of streams) await stop();
    expect(await ask(own.admin, 'GET', '/api/v1/live', 'viewer')).toMatchObject({ status: 200 });
  });

  it('ends its streams when the admin is closed', async () => {
    const { ended } = await watch(own, 'viewer');
    own.admin.close();
    await ended;
    expect(await ask(own.admin, 'GET', '/api/v1/live', 'viewer')).toMatchObject({ status: 503 });
  });
});

it('keeps a bounded queue for a slow reader, and tells what it missed', async () => {
  const stream = new LiveStream(() => {});
  const change = { kind: 'tier', tier: 'session', own: true } as const;
  for (let index = 0; index < 10_000; index++) stream.push({ event: 'change', data: change });
  stream.push({ event: 'stats', data: { latest: true } });
  const events = (await stream.next()) ?? [];
  expect(events.length).toBeLessThanOrEqual(201);
  expect(events).toContainEqual({ event: 'stats', data: { latest: true } });
  expect(events.at(-1)).toEqual({ event: 'dropped', data: { changes: 9_801 } });
});
