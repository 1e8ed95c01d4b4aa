import type { Redis } from 'ioredis';
import type { RedisConnection } from '../connection.ts';
import { translateRedisError } from '../errors.ts';
import { Heartbeat } from './heartbeat.ts';
import { reconnectDelayMs, type SubscriberSettings } from './settings.ts';
import type { Topic } from './topic.ts';

/** Beats follow each other quickly until the link is live. */
const ARMING_BEAT_MS = 50;

/**
 * The connection for channels and patterns.
 *
 * One that closed is replaced rather than revived, so that each life of the link has one subscriber, which in a Cluster
 * may sit on another node than the last.
 */
export class ChannelLink {
  serverOffsetMs: number | undefined;
  #live = false;
  readonly #beatBytes: string;
  readonly #redis: RedisConnection;
  readonly #settings: SubscriberSettings;
  readonly #onEnded: () => void;
  readonly #channels = new Map<string, Topic>();
  readonly #patterns = new Map<string, Topic>();
  readonly #heartbeat: Heartbeat;
  readonly #stopWatching: () => void;
  #client: Redis | undefined;
  #ticker: NodeJS.Timeout | undefined;
  #reconnect: NodeJS.Timeout | undefined;
  #startedAtMs = 0;
  #attempts = 0;
  #closed = false;

  /** @param onEnded called when the connection was closed for good */
  constructor(redis: RedisConnection, settings: SubscriberSettings, onEnded: () => void) {
    this.#redis = redis;
    this.#settings = settings;
    this.#beatBytes = bytesOf(settings.beatChannel);
    this.#onEnded = onEnded;
    this.#heartbeat = new Heartbeat(settings.beatChannel, (reason) => this.#lose(reason), settings.clock);
    this.#stopWatching = redis.onStateChange((state) => {
      if (state === 'up' && this.#client === undefined) this.#connect();
    });
    this.#connect();
    this.#tick();
  }

  find(kind: 'channel' | 'pattern', name: string): Topic | undefined {
    return kind === 'channel' ? this.#channels.get(bytesOf(name)) : this.#patterns.get(name);
  }

  add(kind: 'channel' | 'pattern', topic: Topic): void {
    if (kind === 'channel') this.#channels.set(bytesOf(topic.name), topic);
    else this.#patterns.set(topic.name, topic);
    const client = this.#client;
    if (client?.status === 'ready') void this.#subscribe(client, topic);
  }

  remove(topic: Topic): void {
    const channel = this.#channels.get(bytesOf(topic.name)) === topic;
    if (channel) this.#channels.delete(bytesOf(topic.name));
    else this.#patterns.delete(topic.name);
    const client = this.#client;
    if (client?.status !== 'ready') return;
    // A connection on which this fails is lost anyway.
    (channel ? client.unsubscribe(topic.name) : client.punsubscribe(topic.name)).catch(() => undefined);
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    clearTimeout(this.#ticker);
    clearTimeout(this.#reconnect);
    this.#stopWatching();
    this.#lose('closed');
    this.#heartbeat.stop();
    const topics = [...this.#topics()];
    this.#channels.clear();
    this.#patterns.clear();
    for (const topic of topics) topic.end('closed');
  }

  *#topics(): Iterable<Topic> {
    yield* this.#channels.values();
    yield* this.#patterns.values();
  }

  #connect(): void {
    clearTimeout(this.#reconnect);
    this.#reconnect = undefined;
    if (this.#closed || this.#client !== undefined) return;
    // It will not open again, and neither will the link.
    if (this.#redis.status === 'closed') return this.#onEnded();
    try {
      this.#open();
    } catch (error) {
      this.#settings.logger.warn({ error: String(error) }, `cannot connect the ${this.#settings.name}`);
      this.#retry();
    }
  }

  #open(): void {
    const masters = this.#redis.masters();
    const node = this.#redis.topology === 'cluster' ? masters[this.#attempts % masters.length] : undefined;
    if (this.#redis.topology === 'cluster' && node === undefined) return this.#retry();
    this.#attempts++;
    this.#startedAtMs = performance.now();
    const client = this.#redis.duplicate('subscriber', node === undefined ? {} : { node });
    this.#client = client;
    client.on('error', () => {});
    client.on('close', () => {
      if (this.#client === client) this.#lose('the subscriber connection closed');
    });
    client.on('ready', () => void this.#subscribeAll(client));
    client.on('messageBuffer', (channel: Buffer, message: Buffer) => {
      if (this.#client === client) this.#receive(channel, message);
    });
    client.on('pmessageBuffer', (pattern: string, channel: Buffer, message: Buffer) => {
      if (this.#client === client) this.#patterns.get(pattern)?.deliver(message, channel.toString());
    });
  }

  async #subscribeAll(client: Redis): Promise<void> {
    for (const topic of this.#topics()) void this.#subscribe(client, topic);
    try {
      // Answered after those before it: once beats come back, all that is not refused is in effect.
      await client.subscribe(this.#settings.beatChannel);
    } catch (error) {
      this.#refused(error);
      if (this.#client === client) this.#lose('the subscription was refused');
      return;
    }
    if (this.#client !== client) return;
    this.#heartbeat.restart();
    this.#heartbeat.send(this.#redis.masters());
  }

  async #subscribe(client: Redis, topic: Topic): Promise<void> {
    topic.refusal = undefined;
    try {
      await (this.#patterns.get(topic.name) === topic ? client.psubscribe(topic.name) : client.subscribe(topic.name));
    } catch (error) {
      if (this.#client !== client) return;
      topic.refusal = translateRedisError(error, (text) => text);
      this.#refused(error);
      if ((error as Error).name !== 'ReplyError') this.#lose('a subscription was not confirmed');
      return;
    }
    if (this.#client !== client) return;
    topic.heldBy = client;
    if (this.#live) topic.confirmLive();
  }

  #refused(error: unknown): void {
    this.#settings.logger.warn({ error: String(error) }, `cannot subscribe to the ${this.#settings.name}`);
  }

  #receive(channel: Buffer, message: Buffer): void {
    const name = channel.toString('latin1');
    const topic = this.#channels.get(name);
    if (topic !== undefined) return topic.deliver(message, topic.name);
    if (name !== this.#beatBytes) return;
    if (this.#heartbeat.receive(message.toString('latin1')) && !this.#live) this.#arm();
  }

  /** The clock offset is needed as well, and its reply may come just after the beat. */
  #arm(): void {
    this.serverOffsetMs = this.#heartbeat.serverOffsetMs;
    if (this.serverOffsetMs === undefined) {
      setTimeout(() => {
        if (!this.#live && !this.#closed && this.#heartbeat.complete) this.#arm();
      }, 1).unref();
      return;
    }
    this.#live = true;
    this.#attempts = 0;
    this.#settings.logger.info({}, `the ${this.#settings.name} is live`);
    for (const topic of this.#topics()) {
      if (this.#client !== undefined && topic.heldBy === this.#client) topic.confirmLive();
    }
  }

  #tick(): void {
    clearTimeout(this.#ticker);
    if (this.#closed) return;
    this.#ticker = setTimeout(() => this.#tick(), this.#live ? this.#settings.heartbeatMs : ARMING_BEAT_MS);
    this.#ticker.unref();
    const client = this.#client;
    if (client === undefined) return;
    const silent = this.#live
      ? this.#heartbeat.silenceMs > this.#settings.timeoutMs
      : performance.now() - this.#startedAtMs > this.#settings.timeoutMs;
    if (silent) return this.#lose('no heartbeat');
    if (client.status !== 'ready') return;
    if (this.#live) this.serverOffsetMs = this.#heartbeat.serverOffsetMs ?? this.serverOffsetMs;
    this.#heartbeat.send(this.#redis.masters());
    if (!this.#live) return;
    for (const topic of this.#topics()) if (topic.refusal !== undefined) void this.#subscribe(client, topic);
  }

  #lose(reason: string): void {
    const client = this.#client;
    this.#client = undefined;
    this.#heartbeat.restart();
    const { name, logger } = this.#settings;
    if (this.#live && !this.#closed) logger.warn({ reason }, `the ${name} is lost`);
    this.#live = false;
    for (const topic of this.#topics()) topic.lose(reason);
    client?.disconnect();
    if (!this.#closed) this.#retry();
  }

  #retry(): void {
    clearTimeout(this.#reconnect);
    this.#reconnect = setTimeout(() => this.#connect(), reconnectDelayMs(this.#attempts));
    this.#reconnect.unref();
  }
}

/** The name as Redis sends it back, one character a byte: cheaper to look up than to decode. */
function bytesOf(name: string): string {
  return Buffer.from(name).toString('latin1');
}
