import { createHash, randomUUID } from 'node:crypto';
import { context, SpanStatusCode, trace, TraceFlags } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import {
  AlwaysOffSampler,
  BasicTracerProvider,
  InMemorySpanExporter,
  SimpleSpanProcessor,
  type ReadableSpan,
} from '@opentelemetry/sdk-trace-base';
import { createBus, durable, ephemeral, type Bus } from '@tierkit/bus';
import { createTiers, type Tiers } from '@tierkit/cache';
import type { KeyDisclosure } from '@tierkit/core';
import { createRedis } from '@tierkit/redis';
import { afterAll, afterEach, beforeAll, expect, inject, test, vi } from 'vitest';
import { openTelemetry } from '../src/opentelemetry/index.ts';

const exporter = new InMemorySpanExporter();
const tracerProvider = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] });
const tracer = tracerProvider.getTracer('test');
const opened: Tiers[] = [];

beforeAll(() => {
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
});

afterEach(async () => {
  await Promise.all(opened.splice(0).map((tiers) => tiers.close()));
  exporter.reset();
});

afterAll(async () => {
  context.disable();
  await tracerProvider.shutdown();
});

function open(options: Partial<Parameters<typeof createTiers>[0]> = {}, keys?: KeyDisclosure): Tiers {
  const telemetry = openTelemetry({ tracerProvider, ...(keys && { keys }) });
  const tiers = createTiers({ redis: 'memory', telemetry, ...options });
  opened.push(tiers);
  return tiers;
}

/** Runs work in a request's span, and gives back what ended within, by name. */
async function inRequest(work: () => Promise<unknown>): Promise<ReadableSpan[]> {
  const request = tracer.startSpan('request');
  await context.with(trace.setSpan(context.active(), request), work);
  request.end();
  return exporter.getFinishedSpans().filter(({ name }) => name !== 'request');
}

const names = (spans: readonly ReadableSpan[]): string[] => spans.map(({ name }) => name);

function parentOf(spans: readonly ReadableSpan[], child: string): string | undefined {
  const id = spans.find(({ name }) => name === child)?.parentSpanContext?.spanId;
  return [...spans, ...exporter.getFinishedSpans()].find((span) => span.spanContext().spanId === id)?.name;
}

test('a load is a span within its call, and what the loader does is within the load', async () => {
  const project = open().project('p');
  const spans = await inRequest(() =>
    project.getOrSet('k', async () => {
      tracer.startSpan('query').end();
      return 1;
    }),
  );
  expect(names(spans)).toEqual(['query', 'tierkit.cache.load', 'tierkit.cache.get_or_set']);
  expect(parentOf(spans, 'query')).toBe('tierkit.cache.load');
  expect(parentOf(spans, 'tierkit.cache.load')).toBe('tierkit.cache.get_or_set');
  expect(parentOf(spans, 'tierkit.cache.get_or_set')).toBe('request');
  expect(spans.at(-1)?.attributes).toEqual({ 'tierkit.tier': 'project' });
});

test('a read tells whether it hit, and several keys are one span', async () => {
  const global = open({ l1: false }).global;
  await global.set('a', 1);
  const spans = await inRequest(async () => {
    await global.get('a');
    await global.get('b');
    await global.getMany(['a', 'b', 'c']);
    await global.getOrSetMany(['x', 'y'], (keys) => keys.map(() => 1));
    await global.setMany([
      ['m', 1],
      ['n', 2],
    ]);
  });
  expect(
    spans.map(({ name, attributes }) => [name.slice(14), attributes['tierkit.result'], attributes['tierkit.keys']]),
  ).toEqual([
    ['get', 'hit', undefined],
    ['get', 'miss', undefined],
    ['get_many', undefined, 3],
    ['load', undefined, 2],
    ['get_or_set_many', undefined, 2],
    ['set', undefined, 2],
  ]);
});

test('hits in process are never spans', async () => {
  const global = open().global;
  await global.set('a', 1);
  const spans = await inRequest(async () => {
    await global.get('a');
    await global.get('a', { copy: true });
    await global.getOrSet('a', () => 2);
    await global.getMany(['a', 'a']);
    await global.getOrSetMany(['a'], () => []);
    await global.has('a');
    global.peek('a');
  });
  expect(names(spans)).toEqual([]);
});

test('outside of a trace that is recorded there are none', async () => {
  const global = open().global;
  await global.get('a');
  const off = new BasicTracerProvider({ sampler: new AlwaysOffSampler() });
  const unsampled = off.getTracer('test').startSpan('request');
  const { spans } = openTelemetry({ tracerProvider });
  const within = trace.setSpan(context.active(), unsampled);
  await context.with(within, () => global.get('b'));
  expect(context.with(within, () => spans?.active())).toBe(false);
  const remote = trace.setSpanContext(context.active(), { ...unsampled.spanContext(), isRemote: true });
  expect(context.with(remote, () => spans?.active())).toBe(false);
  expect(exporter.getFinishedSpans()).toEqual([]);
});

test('a loader that fails marks its spans with what kind of error it was, not with its message', async () => {
  const global = open().global;
  const failing = (): Promise<never> => Promise.reject(new RangeError('secret of mine'));
  const spans = await inRequest(() => global.getOrSet('k', failing).catch(() => {}));
  expect(names(spans)).toEqual(['tierkit.cache.load', 'tierkit.cache.get_or_set']);
  for (const { status, attributes, events } of spans) {
    expect(status).toEqual({ code: SpanStatusCode.ERROR });
    expect(attributes['error.type']).toBe('RangeError');
    expect(JSON.stringify(attributes)).not.toContain('secret of mine');
    expect(events).toEqual([]);
  }
});

test("an error of Redis that a read survives is on its span, and on nobody else's", async () => {
  const redis = createRedis({ host: '127.0.0.1', port: 1, connectTimeout: 50 });
  const tiers = open({ redis });
  const spans = await inRequest(async () => {
    expect(await tiers.global.get('k')).toBeUndefined();
    expect(await tiers.global.set('k', 1)).toBe(false);
  });
  expect(spans.map(({ name, attributes, status }) => [name, attributes['error.type'], status.code])).toEqual([
    ['tierkit.cache.get', 'ERR_REDIS_UNAVAILABLE', SpanStatusCode.UNSET],
    ['tierkit.cache.set', 'ERR_REDIS_UNAVAILABLE', SpanStatusCode.UNSET],
  ]);
  expect(exporter.getFinishedSpans().find(({ name }) => name === 'request')?.attributes).toEqual({});
  await tiers.close();
  await redis.close();
});

test('without spans none are made, and nothing is noted on those of the user', async () => {
  const telemetry = openTelemetry({ tracerProvider, spans: false });
  const redis = { host: '127.0.0.1', port: 1, connectTimeout: 50 };
  const { global } = open({ redis, telemetry });
  expect(await inRequest(() => global.get('k'))).toEqual([]);
  expect(exporter.getFinishedSpans().map(({ name, attributes }) => [name, attributes])).toEqual([['request', {}]]);
});

test('keys are left out, hashed, shown, or what a function makes of them', async () => {
  const key = `user:${randomUUID()}`;
  const shown = async (keys?: KeyDisclosure): Promise<unknown[]> => {
    exporter.reset();
    const project = open({}, keys).project('p 1');
    const spans = await inRequest(async () => {
      await project.get(key);
      await project.getOrSet(key, () => 1);
      await project.set(key, 2);
      await project.delete(key);
    });
    expect(spans).toHaveLength(5);
    return [...new Set(spans.map(({ attributes }) => attributes['tierkit.key']))];
  };
  const whole = `project:{p%201}:${key}`;
  expect(await shown()).toEqual([undefined]);
  expect(await shown('hashed')).toEqual([createHash('sha256').update(whole).digest('hex').slice(0, 16)]);
  expect(await shown('plain')).toEqual([whole]);
  expect(await shown((text) => `${text.length}`)).toEqual([String(whole.length)]);
  const throwing = (): never => {
    throw new Error('mine');
  };
  expect(await shown(throwing)).toEqual([undefined]);
});

test('a trace goes along as headers and is continued from them', async () => {
  const telemetry = openTelemetry({ tracerProvider });
  expect(telemetry.traceHeaders?.()).toBeUndefined();
  let headers: ReturnType<NonNullable<typeof telemetry.traceHeaders>>;
  await inRequest(async () => (headers = telemetry.traceHeaders?.()));
  const [request] = exporter.getFinishedSpans();
  const { traceId, spanId } = request?.spanContext() ?? { traceId: '', spanId: '' };
  expect(headers).toEqual({ traceparent: `00-${traceId}-${spanId}-01` });

  // Elsewhere: a span of ours within the trace that came along.
  exporter.reset();
  const global = open().global;
  await telemetry.withTrace?.({ ...headers, tracestate: 'vendor=1' }, () => global.get('a'));
  const [span] = exporter.getFinishedSpans();
  expect(span?.spanContext().traceId).toBe(traceId);
  expect(span?.parentSpanContext).toMatchObject({ spanId, isRemote: true, traceFlags: TraceFlags.SAMPLED });
  expect(span?.spanContext().traceState?.serialize()).toBe('vendor=1');
});

test('an event of the bus carries the trace, and its handler runs within it, through Redis as well', async () => {
  const channels = { 'file:{id}': ephemeral<string>(), 'job:{id}': durable<string>() };
  const prefix = `${randomUUID()}:`;
  // However busy the machine is.
  const redis = { url: inject('redisUrl'), commandTimeout: 5_000 };
  const patience = { timeout: 10_000 };
  const open = (): Bus<typeof channels> =>
    createBus(channels, { redis, prefix, telemetry: openTelemetry({ tracerProvider }) });
  const [here, there] = [open(), open()];
  const handled: string[] = [];
  const handler = async (event: { channel: string; traceparent?: string }): Promise<void> => {
    tracer.startSpan(`work on ${event.channel}`).end();
    handled.push(event.channel);
  };
  const off = there.on('file:*', handler);
  const consumer = there.consume('job:*', { group: 'g' }, handler);
  await Promise.all([off.ready, consumer.ready, here.ready()]);
  // Outside of a trace there is nothing to carry.
  await here.publish('file:{id}', 'x', { params: { id: '0' } });
  await inRequest(async () => {
    await here.publish('file:{id}', 'x', { params: { id: '1' } });
    await here.publish('job:{id}', 'x', { params: { id: '2' } });
  });
  await vi.waitFor(() => expect(handled.toSorted()).toEqual(['file:0', 'file:1', 'job:2']), patience);
  const spans = exporter.getFinishedSpans();
  const request = spans.find(({ name }) => name === 'request')?.spanContext();
  await vi.waitFor(() => expect(names(exporter.getFinishedSpans())).toHaveLength(6), patience);
  const processed = exporter.getFinishedSpans().filter(({ name }) => name === 'tierkit.bus.process');
  expect(processed.map(({ attributes }) => attributes['tierkit.channel']).sort()).toEqual(['file:{id}', 'job:{id}']);
  for (const span of processed) {
    expect(span.parentSpanContext).toMatchObject({
      traceId: request?.traceId,
      spanId: request?.spanId,
      isRemote: true,
    });
  }
  const all = exporter.getFinishedSpans();
  expect(parentOf(all, 'work on file:1')).toBe('tierkit.bus.process');
  expect(parentOf(all, 'work on job:2')).toBe('tierkit.bus.process');
  expect(parentOf(all, 'work on file:0')).toBeUndefined();
  await Promise.all([here.close(), there.close()]);
});

test('headers of a trace that is not sampled make no spans, but are passed on', async () => {
  const telemetry = openTelemetry({ tracerProvider });
  const traceparent = `00-${'a'.repeat(32)}-${'b'.repeat(16)}-00`;
  const global = open().global;
  const passed = await telemetry.withTrace?.({ traceparent }, async () => {
    await global.get('a');
    return telemetry.traceHeaders?.();
  });
  expect(passed).toEqual({ traceparent });
  expect(exporter.getFinishedSpans()).toEqual([]);
});
