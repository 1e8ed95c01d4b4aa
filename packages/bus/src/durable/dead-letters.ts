import type { KnownChannel } from '../channels/channel-map.ts';
import type { DeadEntry, DeadLetterStore } from '../drivers/driver.ts';
import { parsePosition } from '../drivers/stream-id.ts';
import { busError } from '../errors.ts';
import type { BusEvent } from '../events/event.ts';
import type { EventDecoder } from '../events/event-decoder.ts';
import { Faults } from '../faults.ts';
import { isGroup } from './consumer-options.ts';

export interface DeadLetterOptions {
  /** Only those of one group. @default all */
  readonly group?: string;
}

export interface DeadLetterListOptions {
  /** The id of the last that is known. @default from the oldest on */
  readonly after?: string;
  /** @default 100 */
  readonly limit?: number;
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
  /** @throws {TierkitError} `ERR_BUS_OPTIONS`, `ERR_BUS_POSITION`, `ERR_REDIS_*` */
  list(options?: DeadLetterListOptions): Promise<DeadLetter<E>[]>;
  /**
   * Publishes them again, each for its group alone, and removes them here, each in one atomic step.
   *
   * One that fails again is given up again, and is not replayed a second time by the same call.
   *
   * @param ids those to replay @default all that there are
   * @returns how many there were
   * @throws {TierkitError} `ERR_REDIS_*`, after which some may have been replayed
   */
  replay(ids?: readonly string[]): Promise<number>;
  /** Discards them. @param ids @default all that there are @returns how many there were @throws {TierkitError} `ERR_REDIS_*` */
  remove(ids?: readonly string[]): Promise<number>;
}

export interface DeadLetterParts {
  readonly store: DeadLetterStore;
  readonly stream: string;
  readonly known: KnownChannel;
  readonly decoder: EventDecoder;
  readonly options: DeadLetterOptions;
}

const PAGE = 100;

/** @throws {TierkitError} `ERR_BUS_OPTIONS` */
export function deadLettersOf({ store, stream, known, decoder, options }: DeadLetterParts): DeadLetters {
  const faults = new Faults(options, { group: true }, 'deadLetters: ');
  const { group } = options ?? {};
  faults.expect(group === undefined || isGroup(group), 'group must be a name');
  faults.throwIfAny();

  /** Those of the group, read a page at a time. */
  async function* entries(after?: string): AsyncGenerator<DeadEntry, undefined> {
    for (let from = after; ;) {
      const page = await store.list(stream, from, PAGE);
      for (const entry of page) if (group === undefined || entry.group === group) yield entry;
      from = page.at(-1)?.id;
      if (page.length < PAGE) return undefined;
    }
  }
  const letterOf = async ({ message, subject, ...rest }: DeadEntry): Promise<DeadLetter> => {
    const encoded = subject ?? known.name.name;
    const event = await decoder.decode({ known, bytes: message, exact: undefined, encoded });
    const letter = { ...rest, time: Number(rest.id.split('-')[0]), message };
    return event === undefined ? letter : { ...letter, event };
  };
  /** Only those that are there now: what is replayed may be given up again meanwhile. */
  const each = async (ids: readonly string[] | undefined, act: (ids: string[]) => Promise<number>): Promise<number> => {
    if (ids !== undefined && !Array.isArray(ids)) throw busError('ERR_BUS_OPTIONS', 'ids must be a list');
    const wanted = ids && new Set(ids);
    const chosen: string[] = [];
    for await (const { id } of entries()) if (wanted?.has(id) !== false) chosen.push(id);
    let done = 0;
    for (let i = 0; i < chosen.length; i += PAGE) done += await act(chosen.slice(i, i + PAGE));
    return done;
  };
  return {
    async list(listOptions = {}) {
      const { after, limit } = listSettings(listOptions);
      const found: DeadLetter[] = [];
      for await (const entry of entries(after)) if (found.push(await letterOf(entry)) === limit) break;
      return found;
    },
    replay: (ids) => each(ids, (chosen) => store.replay(stream, chosen)),
    remove: (ids) => each(ids, (chosen) => store.remove(stream, chosen)),
  };
}

/** @throws {TierkitError} `ERR_BUS_OPTIONS`, `ERR_BUS_POSITION` */
function listSettings(options: DeadLetterListOptions): { readonly after: string | undefined; readonly limit: number } {
  const faults = new Faults(options, { after: true, limit: true }, 'deadLetters: ');
  const limit = faults.whole('limit', PAGE);
  faults.throwIfAny();
  return { after: options.after === undefined ? undefined : parsePosition(options.after).id, limit };
}
