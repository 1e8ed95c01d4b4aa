import { once } from 'node:events';
import { createBus, durable, jsonCodec, type BusEvent } from '@tierkit/bus';
import type { CacheChange } from '@tierkit/cache';
import { parseDuration } from '@tierkit/core';
import { createSubscriber } from '@tierkit/redis';
import { findNames } from '../discovery/find-names.ts';
import { streamOf } from '../discovery/layout.ts';
import { cliError } from '../errors.ts';
import { printable } from '../output/printable.ts';
import type { Registrar } from '../run/registrar.ts';
import type { Session } from '../run/session.ts';
import { wholeNumber } from '../run/whole-number.ts';

interface EventsOptions {
  readonly only?: string;
  readonly limit?: string;
  readonly for?: string;
}

const MOST_STREAMS = 100;
const SOURCES = ['cache', 'bus'] as const;

/** Ends after so many lines, or so long, or at Ctrl-C. */
interface Tail {
  line(kind: 'change' | 'event' | 'lost', data: Readonly<Record<string, unknown>>): void;
  readonly ended: Promise<void>;
}

export function eventsCommand({ command, action }: Registrar): void {
  command(
    'events',
    'what happens from now on: what ends or changes in the cache, and events of the bus without their data',
  )
    .option('--only <source>', 'cache, or bus')
    .option('--limit <count>', 'end after so many')
    .option('--for <duration>', 'end after so long')
    .action(
      action(async (session: Session, { only, limit, for: during }: EventsOptions) => {
        if (only !== undefined && !SOURCES.includes(only as 'bus'))
          throw cliError('ERR_CLI_USAGE', '--only is cache or bus');
        const most = limit === undefined ? Infinity : wholeNumber(limit, '--limit', 1_000_000);
        const forMs = during === undefined ? undefined : parseDuration(during, '--for', { maxMs: 2 ** 31 - 1 });
        const tail = startTail(session, most, forMs);
        if (only !== 'bus') await tailCache(session, tail);
        if (only !== 'cache') await tailBus(session, tail);
        session.output.note('listening; Ctrl-C ends it');
        await session.untilAborted(tail.ended);
        return undefined;
      }),
    );
}

function startTail(session: Session, most: number, forMs: number | undefined): Tail {
  const end = new AbortController();
  const ended = once(end.signal, 'abort').then(() => undefined);
  let lines = 0;
  if (forMs !== undefined) {
    const timer = setTimeout(() => end.abort(), forMs);
    session.opened({ close: () => clearTimeout(timer) });
  }
  return {
    ended,
    line(kind, data) {
      if (lines >= most) return;
      lines++;
      const at = new Date().toISOString();
      const rest = Object.entries(data).map(([name, value]) => `${name}=${printable(textOf(value), 300)}`);
      session.output.line({ data: { at, event: kind, ...data }, text: [at, kind, ...rest].join('  ') });
      if (lines >= most) end.abort();
    },
  };
}

function textOf(value: unknown): string {
  if (Array.isArray(value)) return value.map(String).join(',');
  return String(value);
}

async function tailCache(session: Session, tail: Tail): Promise<void> {
  const tiers = await session.tiers();
  tiers.inspection.onChange(({ own: _own, kind, ...change }: CacheChange) => tail.line('change', { kind, ...change }));
}

async function tailBus(session: Session, tail: Tail): Promise<void> {
  await tailEphemeral(session, tail);
  await tailStreams(session, tail);
}

async function tailEphemeral(session: Session, tail: Tail): Promise<void> {
  const redis = await session.redis();
  const before = `${session.prefix}bus:${redis.db}:`;
  const subscriber = session.opened(createSubscriber(redis, { prefix: session.prefix, name: 'events' }));
  const subscription = subscriber.psubscribe(`${before}*`, {
    onMessage: (message, channel) => tail.line('event', { channel: channel.slice(before.length), ...headOf(message) }),
    onLost: (reason) => tail.line('lost', { reason }),
  });
  await session.untilAborted(subscription.ready(session.timeoutMs));
}

/** What an event says of itself; of one in a codec of the service's own only its size. */
function headOf(message: Buffer): Readonly<Record<string, unknown>> {
  const size = { bytes: message.length };
  if (message.length > 1_048_576) return size;
  try {
    const { id, source, time } = jsonCodec.decode(message) as Readonly<Record<string, unknown>>;
    return { id, source, time, ...size };
  } catch {
    return size;
  }
}

async function tailStreams(session: Session, tail: Tail): Promise<void> {
  const redis = await session.durable();
  const { prefix, signal } = session;
  const { names } = await findNames({
    ...{ redis, match: `${prefix}*bus:{*}*`, most: MOST_STREAMS, signal },
    nameOf(key) {
      const found = streamOf(prefix, key);
      return found && `${found.own}\n${found.channel}`;
    },
  });
  for (const name of names.keys()) {
    const [own = '', channel = ''] = name.split('\n');
    const bus = session.opened(createBus({ [channel]: durable() }, { redis, prefix: prefix + own }));
    const off = bus.on(channel, (event: BusEvent) => {
      tail.line('event', {
        channel: own + event.channel,
        id: event.id,
        source: event.source,
        time: event.time,
        durable: true,
      });
    });
    await session.untilAborted(off.ready);
  }
}
