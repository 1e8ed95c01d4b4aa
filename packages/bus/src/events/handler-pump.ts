import type { Logger } from '@tierkit/core';
import { isThenable } from '../thenable.ts';
import type { BusEvent } from './event.ts';
import type { Inbox } from './inbox.ts';

export interface PumpOptions {
  readonly logger: Logger;
  /** Counts what a handler threw. */
  readonly onFailure: () => void;
}

/** Calls a handler with the events of an inbox, one after the other; what it throws is logged and ends nothing. */
export function pump(inbox: Inbox, handler: (event: BusEvent) => unknown, { logger, onFailure }: PumpOptions): void {
  let busy = false;
  const failed = (error: unknown): void => {
    onFailure();
    logger.error({ error }, 'a handler of the bus failed');
  };
  const handle = (event: BusEvent): Promise<unknown> | undefined => {
    if (inbox.ended) return undefined;
    try {
      const result = handler(event);
      return isThenable(result) ? Promise.resolve(result).catch(failed) : undefined;
    } catch (error) {
      failed(error);
      return undefined;
    }
  };
  const drain = (): void => {
    if (busy) return;
    busy = true;
    for (;;) {
      const event = inbox.take();
      if (event === undefined) break;
      const working = event instanceof Promise ? event.then((judged) => judged && handle(judged)) : handle(event);
      if (working !== undefined) {
        void working.then(() => {
          busy = false;
          drain();
        });
        return;
      }
    }
    busy = false;
  };
  let told = false;
  inbox.whenItem(() => {
    drain();
    // Told also while a handler is at work, which may never end.
    if (inbox.error === undefined || told) return;
    told = true;
    failed(inbox.error);
  });
}
