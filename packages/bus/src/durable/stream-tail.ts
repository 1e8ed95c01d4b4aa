import type { Clock, Logger } from '@tierkit/core';
import type { Route } from '../channels/channel-map.ts';
import type { BusDriver, Position, Start, StreamEntry, StreamReader } from '../drivers/driver.ts';
import { formatPosition, isBehind } from '../drivers/stream-id.ts';
import type { Inbox, Source } from '../events/inbox.ts';
import { Backoff } from './backoff.ts';

export interface StreamTailOptions {
  readonly driver: BusDriver;
  readonly stream: string;
  readonly route: Route;
  readonly start: Start;
  /** Entries read at once. */
  readonly batch: number;
  readonly blockMs: number;
  readonly logger: Logger;
  readonly clock: Clock;
}

/**
 * Feeds an inbox with a durable channel from a place on: nothing is dropped, as it reads on only when there is room, and
 * entries that the stream no longer has are told as a gap.
 */
export function streamTail(options: StreamTailOptions, inbox: Inbox): Source {
  const tail = new StreamTail(options, inbox);
  return { ready: tail.ready, close: () => tail.close() };
}

class StreamTail {
  readonly ready: Promise<void>;
  readonly #options: StreamTailOptions;
  readonly #inbox: Inbox;
  readonly #reader: StreamReader;
  readonly #backoff: Backoff;
  #closed = false;

  constructor(options: StreamTailOptions, inbox: Inbox) {
    this.#options = options;
    this.#inbox = inbox;
    this.#reader = options.driver.openReader(options.stream);
    this.#backoff = new Backoff(options.clock);
    this.ready = new Promise((resolve) => void this.#run(resolve));
  }

  close(): void {
    this.#closed = true;
    this.#reader.close();
    this.#backoff.cancel();
  }

  async #run(settle: () => void): Promise<void> {
    let at: Position | undefined;
    while (!this.#closed) {
      try {
        at ??= await this.#locate();
        settle();
        await this.#inbox.whenRoom();
        if (this.#isClosed()) return;
        const entries = await this.#reader.read(at, this.#options.batch, this.#options.blockMs);
        for (const entry of entries) {
          this.#offer(entry, at);
          at = { id: entry.id, count: entry.count ?? at.count };
        }
        this.#backoff.reset();
      } catch (error) {
        if (this.#isClosed()) return;
        this.#options.logger.warn({ error, stream: this.#options.stream }, 'a durable channel cannot be read for now');
        await this.#backoff.wait();
      }
    }
  }

  async #locate(): Promise<Position> {
    const { driver, stream, start } = this.#options;
    const at = await driver.locate(stream, start);
    // The stream ends before a place that was in it: it was lost meanwhile, or it is another one.
    const ahead = typeof start === 'object' && 'id' in start && isBehind(start.id, at.id);
    if (ahead) this.#inbox.tellGap({ reason: 'trimmed', missed: undefined });
    return at;
  }

  #offer(entry: StreamEntry, before: Position): void {
    const { known, exact, accepts } = this.#wanted;
    if (before.count !== undefined && entry.count !== undefined && entry.count !== before.count + 1) {
      const missed = entry.count - before.count - 1;
      // Less than nothing is missing where the stream began anew, or somebody else wrote to it.
      this.#inbox.tellGap({ reason: 'trimmed', missed: missed > 0 ? missed : undefined });
    }
    // Replayed for one group.
    if (entry.group !== undefined) return;
    const { message, subject } = entry;
    if (accepts !== undefined && !accepts(subject ?? '')) return;
    const position = formatPosition(entry);
    this.#inbox.offer({ known, bytes: message, exact, encoded: subject ?? known.name.name, position }, message.length);
  }

  get #wanted(): { known: Route['known']; exact: Route['exact']; accepts: ((encoded: string) => boolean) | undefined } {
    const { route } = this.#options;
    const { known, exact } = route;
    if (known.name.literal) return { known, exact, accepts: undefined };
    if (exact !== undefined) return { known, exact, accepts: (encoded) => encoded === exact.encoded };
    return { known, exact: undefined, accepts: (encoded) => route.accepts(encoded) };
  }

  // A method of its own, because the type checker takes the field for unchanged across an await.
  #isClosed(): boolean {
    return this.#closed;
  }
}
