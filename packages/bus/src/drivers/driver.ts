import type { Subscription, SubscriptionListener } from '@tierkit/redis';
import type { Retention } from '../channels/channel.ts';

/** A place in a stream: behind the entry with this id. */
export interface Position {
  readonly id: string;
  /** How many entries the stream had taken up to there; undefined where that is not known. */
  readonly count: number | undefined;
}

/** Where to begin: behind what is there, at the oldest entry, at a time in milliseconds since 1970, or at a place. */
export type Start = 'now' | 'start' | { readonly timeMs: number } | Position;

export interface StreamEntry {
  readonly id: string;
  /** The stream's entries are numbered from 1 without a gap; undefined for one that others added. */
  readonly count: number | undefined;
  /** Of a channel with parameters: its encoded name. */
  readonly subject: string | undefined;
  readonly message: Buffer;
  /** Only this group is meant: its dead letter was replayed. */
  readonly group: string | undefined;
}

/** An entry as a group's consumer gets it. */
export interface Delivery extends StreamEntry {
  /** How often it was tried, this time included. */
  readonly attempt: number;
  /** Whether this time is counted already; else `release` does so. */
  readonly counted: boolean;
}

export interface DeadEntry {
  readonly id: string;
  readonly message: Buffer;
  readonly subject: string | undefined;
  readonly group: string;
  readonly attempts: number;
  readonly reason: string;
}

export interface GroupState {
  /** Entries that no consumer has been given yet; undefined where others' entries are in the way. */
  readonly waiting: number | undefined;
  /** Entries that consumers have and did not acknowledge. */
  readonly pending: number;
  readonly consumers: number;
  /** Entries that trimming removed before the group had finished them. */
  readonly lost: number;
  /** Of the channel, those of other groups included. */
  readonly deadLetters: number;
}

/** Reads one stream on a connection of its own. */
export interface StreamReader {
  /** The entries behind a place, in order, at most `limit`; waits up to `waitMs` for the first, then answers none. */
  read(after: Position, limit: number, waitMs: number): Promise<StreamEntry[]>;
  /** Entries that no consumer of the group was given, which are now this consumer's to acknowledge; waits as `read`. */
  readGroup(group: string, consumer: string, limit: number, waitMs: number): Promise<Delivery[]>;
  /** Ends the connection; what waits is answered none. It may be called again. */
  close(): void;
}

/** What a group's consumers ask of a stream, besides reading. Each call is one atomic step. */
interface GroupStore {
  /** Makes the group, and the stream, unless they are there. @returns the place behind which the group is */
  createGroup(stream: string, group: string, start: Start): Promise<Position>;
  /** Removes entries from what the group has to finish. */
  acknowledge(stream: string, group: string, ids: readonly string[]): Promise<void>;
  /** Says of an entry of this consumer for how long it counts as untouched, and how often it was tried. @returns whether it still was its own */
  release(
    stream: string,
    owner: GroupOwner,
    id: string,
    as: { readonly idleMs: number; readonly attempts: number },
  ): Promise<boolean>;
  /** Says that the consumer is still working on these entries. @returns those of them that are still its own */
  touch(stream: string, owner: GroupOwner, ids: readonly string[]): Promise<string[]>;
  /** Takes over entries of whichever consumer that nobody has touched for `claimAfterMs`, at most `limit`; they are not counted as tried. */
  claim(stream: string, owner: GroupOwner, claimAfterMs: number, limit: number): Promise<Delivery[]>;
  /** Moves an entry to the dead letters, if the group still has it to finish; it is lost if the stream no longer has it. */
  bury(
    stream: string,
    group: string,
    dead: { readonly id: string; readonly attempts: number; readonly reason: string },
  ): Promise<void>;
  /**
   * Forgets the consumer, unless it has entries to acknowledge. What it was given behind `after` did not reach it: about
   * `limit` of that count as untouched for `idleMs`, and as one time less tried.
   */
  forgetConsumer(
    stream: string,
    owner: GroupOwner,
    unknown: { readonly after: string; readonly idleMs: number; readonly limit: number },
  ): Promise<void>;
  state(stream: string, group: string): Promise<GroupState>;
  /** The groups that were made on the stream. */
  groups(stream: string): Promise<string[]>;
}

export interface GroupOwner {
  readonly group: string;
  readonly consumer: string;
}

/** Dead letters that are kept of a stream, about. */
export const MOST_DEAD = 10_000;

/** The dead letters of a stream, oldest first. */
export interface DeadLetterStore {
  list(stream: string, after: string | undefined, limit: number): Promise<DeadEntry[]>;
  /** Puts dead letters at the end of the stream, each for its group alone. @returns how many there were */
  replay(stream: string, ids: readonly string[]): Promise<number>;
  /** @returns how many there were */
  remove(stream: string, ids: readonly string[]): Promise<number>;
}

/**
 * What carries the messages of a bus. It knows bytes and names, no channels.
 *
 * Rejections are `TierkitError`s with the codes of Redis.
 */
export interface BusDriver extends GroupStore {
  /** Hands a message to those who listen now. Messages of one driver arrive in the order of the calls, sharded ones within a channel. */
  send(channel: string, message: Buffer | string): Promise<void>;
  /** Listens to a channel, or to all that a glob-style pattern matches. */
  listen(what: 'channel' | 'pattern', name: string, listener: SubscriptionListener): Subscription;
  /** Whether `listen` takes patterns. */
  readonly patterns: boolean;
  /** Adds a message at the end of a stream, and trims that. */
  append(
    stream: string,
    message: Buffer | string,
    retention: Retention,
    subject: string | undefined,
  ): Promise<Position>;
  /** The place that a start means now; the end of the stream for one that lies ahead of it. */
  locate(stream: string, start: Start): Promise<Position>;
  openReader(stream: string): StreamReader;
  readonly deadLetters: DeadLetterStore;
  close(): Promise<void>;
}
