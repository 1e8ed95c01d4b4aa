import type { CacheChange } from '@tierkit/cache';
import type { CacheSource } from './admin-source.ts';
import type { LiveTelemetry } from './live-telemetry.ts';
import { adminError } from './problem.ts';

/** What a live stream is told. */
export type LiveEvent =
  | { readonly event: 'stats'; readonly data: unknown }
  | { readonly event: 'change'; readonly data: CacheChange }
  /** So many changes were not told, since the reader is too slow or there were too many. */
  | { readonly event: 'dropped'; readonly data: { readonly changes: number } };

/** Events that wait for a slow reader. */
const MAX_WAITING = 200;
const TICK_MS = 1_000;
/** A reader that takes nothing for so many ticks is gone: a connection may end without a word. */
const MAX_IDLE_TICKS = 60;

/** One reader's queue. */
export class LiveStream {
  readonly #waiting: LiveEvent[] = [];
  readonly #leave: (stream: LiveStream) => void;
  #dropped = 0;
  #idleTicks = 0;
  #wake: (() => void) | undefined;
  #ended = false;

  constructor(leave: (stream: LiveStream) => void) {
    this.#leave = leave;
  }

  push(event: LiveEvent): void {
    if (this.#waiting.length < MAX_WAITING) this.#waiting.push(event);
    else if (event.event === 'change') this.#dropped++;
    else if (this.#waiting.splice(-1, 1, event)[0]?.event === 'change') this.#dropped++;
    this.#wake?.();
  }

  /** Figures, of which there are some each second; the first that are not taken for a minute end the stream. */
  tick(event: LiveEvent): void {
    if (++this.#idleTicks > MAX_IDLE_TICKS) this.end();
    else this.push(event);
  }

  /** The events that wait, as soon as there are some; undefined once the stream has ended. */
  async next(): Promise<LiveEvent[] | undefined> {
    if (this.#waiting.length === 0 && !this.#ended) await new Promise<void>((resolve) => (this.#wake = resolve));
    this.#wake = undefined;
    this.#idleTicks = 0;
    if (this.#ended) return undefined;
    const events = this.#waiting.splice(0);
    if (this.#dropped > 0) events.push({ event: 'dropped', data: { changes: this.#dropped } });
    this.#dropped = 0;
    return events;
  }

  end(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#leave(this);
    this.#wake?.();
  }
}

/** Figures each second and changes as they happen, for all readers at once. Without a reader it does nothing. */
export class LiveFeed {
  readonly #source: CacheSource;
  readonly #maxStreams: number;
  readonly #telemetry: LiveTelemetry | undefined;
  readonly #streams = new Map<LiveStream, { readonly names: boolean }>();
  #timer: NodeJS.Timeout | undefined;
  #stopListening: (() => void) | undefined;
  #closed = false;

  constructor(source: CacheSource, maxStreams: number, telemetry?: LiveTelemetry) {
    this.#source = source;
    this.#telemetry = telemetry;
    this.#maxStreams = maxStreams;
  }

  /**
   * @param names whether the reader may know names of keys, and so of changes
   * @throws {TierkitError} `ERR_ADMIN_BUSY`
   */
  open(names: boolean): LiveStream {
    if (this.#closed || this.#streams.size >= this.#maxStreams) {
      throw adminError('ERR_ADMIN_BUSY', `there are ${this.#maxStreams} live streams at the most`);
    }
    const stream = new LiveStream((ended) => this.#left(ended));
    this.#streams.set(stream, { names });
    stream.push(this.#snapshot());
    this.#timer ??= setInterval(() => this.#tick(), TICK_MS).unref();
    this.#stopListening ??= this.#source.inspection.onChange((change) => this.#changed(change));
    return stream;
  }

  close(): void {
    this.#closed = true;
    for (const stream of this.#streams.keys()) stream.end();
  }

  #left(stream: LiveStream): void {
    this.#streams.delete(stream);
    if (this.#streams.size > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
    this.#stopListening?.();
    this.#stopListening = undefined;
  }

  #tick(): void {
    const snapshot = this.#snapshot();
    for (const stream of this.#streams.keys()) stream.tick(snapshot);
  }

  #changed(change: CacheChange): void {
    for (const [stream, { names }] of this.#streams) if (names) stream.push({ event: 'change', data: change });
  }

  #snapshot(): LiveEvent {
    const data = { ...this.#telemetry?.read(), timestamp: new Date().toISOString(), ...this.#source.stats() };
    return { event: 'stats', data };
  }
}
