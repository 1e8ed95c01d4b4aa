import type { Retention } from '../channels/channel.ts';
import type { KnownChannel } from '../channels/channel-map.ts';
import type { DeadLetterStore } from '../drivers/driver.ts';
import { parsePosition } from '../drivers/stream-id.ts';
import type { BusEvent } from '../events/event.ts';
import type { EventDecoder } from '../events/event-decoder.ts';

export interface DeadLetterOptions {
  /** Only those of one group. @default all */
  readonly group?: string;
}

/** An event that a group gave up. */
export interface DeadLetter<E = BusEvent> {
  /** Names it for `replay` and `remove`. */
  readonly id: string;
  readonly group: string;
  readonly attempts: number;
  /** Message of the last error. */
  readonly reason: string;
  /** When it was given up, in milliseconds since 1970 by Redis's clock. */
  readonly time: number;
  /** Absent if it cannot be read or does not pass the schema. */
  readonly event?: E;
  /** What was published, as it is in Redis. */
  readonly message: Buffer;
}

/** The dead letters of a channel, oldest first; about 10,000 are kept. */
export interface DeadLetters<E = BusEvent> {
  /**
   * @param options.after the id of the last that is known
   * @param options.limit @default 100
   * @throws {TierkitError} `ERR_BUS_POSITION`
   */
  list(options?: { readonly after?: string; readonly limit?: number }): Promise<DeadLetter<E>[]>;
  /**
   * Publishes them again, each for its group alone, and removes them here, each in one atomic step.
   *
   * @param ids those to replay @default all
   * @returns how many there were
   */
  replay(ids?: readonly string[]): Promise<number>;
  /** Discards them. @param ids @default all @returns how many there were */
  remove(ids?: readonly string[]): Promise<number>;
}

export interface DeadLetterParts {
  readonly store: DeadLetterStore;
  readonly stream: string;
  readonly known: KnownChannel;
  readonly retention: Retention;
  readonly decoder: EventDecoder;
  readonly group: string | undefined;
}

const PAGE = 100;

export function deadLettersOf({ store, stream, known, retention, decoder, group }: DeadLetterParts): DeadLetters {
  const list = async (after: string | undefined, limit: number): Promise<DeadLetter[]> => {
    const found: DeadLetter[] = [];
    let from = after;
    while (found.length < limit) {
      const entries = await store.list(stream, from, PAGE);
      for (const { id, message, subject, attempts, reason, group: own } of entries) {
        from = id;
        if (found.length === limit || (group !== undefined && own !== group)) continue;
        const event = await decoder.decode({
          known,
          bytes: message,
          exact: undefined,
          encoded: subject ?? known.name.name,
        });
        const time = Number(id.split('-')[0]);
        const letter = { id, group: own, attempts, reason, time, message };
        found.push(event === undefined ? letter : { ...letter, event });
      }
      if (entries.length < PAGE) break;
    }
    return found;
  };
  /** Only those of the group, whoever names others. */
  const each = async (ids: readonly string[] | undefined, act: (ids: string[]) => Promise<number>): Promise<number> => {
    let done = 0;
    let after: string | undefined;
    for (;;) {
      const entries = await store.list(stream, after, PAGE);
      const chosen = entries.filter(
        (entry) => (group === undefined || entry.group === group) && (ids === undefined || ids.includes(entry.id)),
      );
      if (chosen.length > 0) done += await act(chosen.map(({ id }) => id));
      after = entries.at(-1)?.id;
      if (entries.length < PAGE) return done;
    }
  };
  return {
    list: async ({ after, limit = PAGE } = {}) =>
      list(after === undefined ? undefined : parsePosition(after).id, limit),
    replay: (ids) => each(ids, (chosen) => store.replay(stream, chosen, retention)),
    remove: (ids) => each(ids, (chosen) => store.remove(stream, chosen)),
  };
}
