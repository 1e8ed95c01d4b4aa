import type { Clock, Logger } from '@tierkit/core';
import type { Subscription } from '@tierkit/redis';
import type { FedChannel } from '../channels/channel.ts';
import type { KnownChannel, Route } from '../channels/channel-map.ts';
import type { BusDriver } from '../drivers/driver.ts';
import type { BusNames } from '../drivers/names.ts';
import { busError } from '../errors.ts';
import type { Inbox, Source } from './inbox.ts';
import type { Origin } from './origin.ts';

/** Longer than anybody waits; the inbox has its own limit. */
const FOREVER_MS = 2 ** 31 - 1;

/** Feeds an inbox with an ephemeral channel, or with those of a pattern. */
export function ephemeralSource(driver: BusDriver, names: BusNames, route: Route, inbox: Inbox): Source {
  const { known } = route;
  const { exact } = route;
  const events = { onLive: () => inbox.restored(route), onLost: () => inbox.lost(route) };
  if (exact !== undefined) {
    const onMessage = (bytes: Buffer): void => inbox.offer({ known, bytes, exact }, bytes.length);
    return sourceOf(driver.listen('channel', names.channel(exact.encoded), { onMessage, ...events }));
  }
  if (!driver.patterns) {
    throw busError('ERR_BUS_CHANNEL', `sharded channels have no patterns, as ${known.name.name} would need`);
  }
  const onMessage = (bytes: Buffer, channel: string): void => {
    const encoded = names.encodedOf(channel);
    if (route.accepts(encoded)) inbox.offer({ known, bytes, exact: undefined, encoded }, bytes.length);
  };
  return sourceOf(driver.listen('pattern', names.channel(route.glob), { onMessage, ...events }));
}

function sourceOf(subscription: Subscription): Source {
  const ready = subscription.ready(FOREVER_MS);
  ready.catch(() => undefined);
  return { ready, close: () => subscription.off() };
}

export interface FedSourceParts {
  readonly origin: Origin;
  readonly logger: Logger;
  readonly clock: Clock;
}

/** Feeds an inbox with what something in this process tells. */
export function fedSource(
  { name: { name }, channel }: KnownChannel & { readonly channel: FedChannel },
  inbox: Inbox,
  { origin, logger, clock }: FedSourceParts,
): Source {
  const { source } = origin;
  const stop = channel.source((data) =>
    inbox.offer({ type: name, channel: name, params: {}, data, id: origin.newId(), time: clock.now(), source }, 0),
  );
  return {
    ready: Promise.resolve(),
    close() {
      try {
        stop();
      } catch (error) {
        logger.error({ error, channel: name }, 'the source of a fed channel cannot be stopped');
      }
    },
  };
}
