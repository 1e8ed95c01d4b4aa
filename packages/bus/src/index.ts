export type { Bus } from './bus.ts';
export {
  durable,
  ephemeral,
  fed,
  type Channel,
  type Channels,
  type DurableChannel,
  type EphemeralChannel,
  type FedChannel,
  type RetentionOptions,
} from './channels/channel.ts';
export type { EventOf, MatchingNames, Names } from './channels/channel-types.ts';
export type { BusStats } from './counters.ts';
export { createBus } from './create-bus.ts';
export type { GroupState } from './drivers/driver.ts';
export { memoryBroker, type MemoryBroker } from './drivers/memory-broker.ts';
export type { BusStream } from './durable/bus-stream.ts';
export type { ConsumeOptions } from './durable/consumer-options.ts';
export type { Consumer } from './durable/consumers.ts';
export type { DeadLetter, DeadLetterListOptions, DeadLetterOptions, DeadLetters } from './durable/dead-letters.ts';
export type { From } from './durable/from.ts';
export type { ConsumeContext } from './durable/work.ts';
export type { BusErrorCode } from './errors.ts';
export { jsonCodec, type BusCodec, type BusEvent } from './events/event.ts';
export type { Overflow } from './events/event-queue.ts';
export type { Gap } from './events/gap.ts';
export type { Published, PublishOptions } from './events/publisher.ts';
export type { OnceOptions, SubscribeOptions } from './events/subscribe-options.ts';
export type { EventSubscription } from './events/subscription.ts';
export type { Off } from './events/subscriptions.ts';
export type { BusBackend, BusOptions } from './options.ts';
