import type { Duration } from '@tierkit/core';
import type { Channels } from './channels/channel.ts';
import type {
  DataFor,
  DurableNames,
  EventOf,
  MatchingNames,
  Meaning,
  Names,
  PublishName,
  WithParams,
} from './channels/channel-types.ts';
import type { BusStats } from './counters.ts';
import type { GroupState } from './drivers/driver.ts';
import type { BusStream } from './durable/bus-stream.ts';
import type { ConsumeOptions } from './durable/consumer-options.ts';
import type { Consumer } from './durable/consumers.ts';
import type { DeadLetterOptions, DeadLetters } from './durable/dead-letters.ts';
import type { ConsumeContext } from './durable/work.ts';
import type { Published, PublishOptions } from './events/publisher.ts';
import type { OnceOptions, SubscribeOptions } from './events/subscribe-options.ts';
import type { EventSubscription } from './events/subscription.ts';
import type { Off } from './events/subscriptions.ts';

/** Typed events between processes. */
export interface Bus<C extends Channels> {
  /**
   * Publishes an event, checked against the channel's schema before anything is sent.
   *
   * An ephemeral one reaches those who listen at the moment, after what this bus published before (`sharded`: on that channel); if it
   * cannot be sent, that is counted and `sent` is false. A durable one is in Redis when the promise resolves, behind all
   * whose promise had resolved before.
   *
   * @param channel a name of the map, parameters filled in or given as `params`
   * @throws {TierkitError} `ERR_BUS_CHANNEL`, `ERR_BUS_SCHEMA`, `ERR_BUS_PAYLOAD`, `ERR_BUS_OPTIONS`, `ERR_BUS_CLOSED`; of a durable channel also
   *   `ERR_REDIS_*`, where `details.applied` tells whether the event may be there all the same
   */
  publish<Name extends PublishName<C>>(
    channel: Name,
    data: DataFor<C, Name>,
    ...options: WithParams<Name, PublishOptions>
  ): Promise<Published>;
  /**
   * Events of a channel, of all that match a pattern (`*` any characters, `?` one), or of a list of these, from now on.
   *
   * An event that several of them match comes once. Each subscription has a bounded queue; what is missing is told by
   * `onGap`. Durable channels are read from `from` on by everybody who subscribes, and drop nothing: they are read only
   * as fast as events are taken.
   *
   * @throws {TierkitError} `ERR_BUS_CHANNEL`, `ERR_BUS_OPTIONS`, `ERR_BUS_POSITION`, `ERR_PATTERN_INVALID`, `ERR_BUS_CLOSED`
   */
  subscribe<const Pattern extends string>(
    channels: (Pattern & Meaning<C, Pattern>) | readonly (Pattern & Meaning<C, Pattern>)[],
    options?: SubscribeOptions,
  ): EventSubscription<EventOf<C, MatchingNames<C, Pattern>>>;
  /**
   * As {@link subscribe}, with a handler that is called for one event after the other; a promise that it returns is
   * waited for. What it throws is logged and counted.
   */
  on<const Pattern extends string>(
    channels: (Pattern & Meaning<C, Pattern>) | readonly (Pattern & Meaning<C, Pattern>)[],
    handler: (event: EventOf<C, MatchingNames<C, Pattern>>) => unknown,
    options?: SubscribeOptions,
  ): Off;
  /**
   * The next event. One that is published before Redis knows of the wait is missed: where that matters, `subscribe` and wait until
   * it is `ready`.
   *
   * @throws {TierkitError} as `subscribe`, and `ERR_BUS_TIMEOUT` or, when aborted, `ERR_BUS_CLOSED`
   */
  once<const Pattern extends string>(
    channels: (Pattern & Meaning<C, Pattern>) | readonly (Pattern & Meaning<C, Pattern>)[],
    options?: OnceOptions,
  ): Promise<EventOf<C, MatchingNames<C, Pattern>>>;
  /**
   * Works off durable channels as one of a group: each event goes to one of its consumers, at least once. A pattern means the
   * durable channels among those that it matches.
   *
   * An event is finished when the handler returns. One that throws is tried again after a backoff, by whichever consumer
   * of the group is free, and becomes a dead letter after `maxAttempts`; what does not pass the schema becomes one at once.
   * What a consumer leaves behind that dies is taken over by others after `claimAfter`.
   *
   * @throws {TierkitError} `ERR_BUS_CHANNEL`, `ERR_BUS_OPTIONS`, `ERR_BUS_POSITION`, `ERR_BUS_CLOSED`
   */
  consume<const Pattern extends string>(
    channels:
      | (Pattern & Meaning<C, Pattern, DurableNames<C>>)
      | readonly (Pattern & Meaning<C, Pattern, DurableNames<C>>)[],
    options: ConsumeOptions,
    handler: (event: EventOf<C, MatchingNames<C, Pattern> & DurableNames<C>>, context: ConsumeContext) => unknown,
  ): Consumer;
  /** What a group has before it on a durable channel. @throws {TierkitError} `ERR_BUS_CHANNEL`, `ERR_BUS_OPTIONS`, `ERR_REDIS_*` */
  lag(channel: DurableNames<C> & string, group: string): Promise<GroupState>;
  /** The dead letters of a durable channel. @throws {TierkitError} `ERR_BUS_CHANNEL`, `ERR_BUS_OPTIONS` */
  deadLetters<Name extends DurableNames<C>>(
    channel: Name,
    options?: DeadLetterOptions,
  ): DeadLetters<EventOf<C, Name & Names<C>>>;
  /** The durable channels, for those who operate them; none once the bus is closed. */
  streams(): readonly BusStream[];
  /**
   * Resolves once Redis answers; subscriptions have a `ready` of their own. At once in memory.
   *
   * @param timeout How long to wait. @default 5 seconds
   * @throws {TierkitError} `ERR_REDIS_UNAVAILABLE`
   */
  ready(timeout?: Duration): Promise<void>;
  stats(): BusStats;
  /**
   * Ends subscriptions, waits for consumers (`drainTimeout`), and ends connections that the bus made, so that the process can end. It
   * never rejects, and may be called again.
   */
  close(): Promise<void>;
}
