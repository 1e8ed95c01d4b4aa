import type { BusEvent } from './event.ts';
import type { Inbox } from './inbox.ts';

/**
 * Events as they come, for one `for await` loop; leaving the loop ends the subscription.
 *
 * It listens from the moment it was made, and keeps what comes before it is asked, within its bounds.
 */
export interface EventSubscription<E> extends AsyncIterableIterator<E, undefined> {
  /**
   * Resolves once nothing that is published from then on is missed.
   *
   * It rejects with `ERR_BUS_TIMEOUT` after `readyTimeout`, though the subscription goes on trying, and with
   * `ERR_BUS_CLOSED` or `ERR_BUS_OVERFLOW` when it has ended before.
   */
  readonly ready: Promise<void>;
  /** Events that wait to be taken. */
  readonly queued: number;
  /** Events that this subscription is known to have missed. */
  readonly missed: number;
  /** Ends it: what waits is discarded, and a loop over it ends. */
  close(): void;
}

type Result = IteratorResult<BusEvent, undefined>;

/** The events of an inbox for a `for await` loop. */
export function subscriptionOver(inbox: Inbox): EventSubscription<BusEvent> {
  const asking: { readonly resolve: (result: Result) => void; readonly reject: (error: unknown) => void }[] = [];
  let busy = false;

  const answer = (): void => {
    // Also while a schema is at work, which may never answer.
    while (inbox.ended && asking.length > 0) finish();
    while (!busy && asking.length > 0) {
      const event = inbox.take();
      if (event === undefined) return;
      if (!(event instanceof Promise)) {
        asking.shift()?.resolve({ value: event, done: false });
        continue;
      }
      busy = true;
      void event.then((judged) => {
        busy = false;
        if (judged !== undefined) asking.shift()?.resolve({ value: judged, done: false });
        answer();
      });
    }
  };
  let told = false;
  const finish = (): void => {
    const { error } = inbox;
    const asked = asking.shift();
    // Only the first is told why; for the others the subscription has ended.
    if (error === undefined || told) return asked?.resolve({ value: undefined, done: true });
    told = true;
    asked?.reject(error);
  };
  inbox.whenItem(answer);

  return {
    ready: inbox.ready,
    get queued() {
      return inbox.size;
    },
    get missed() {
      return inbox.missed;
    },
    next: () =>
      new Promise<Result>((resolve, reject) => {
        asking.push({ resolve, reject });
        answer();
      }),
    return: () => {
      inbox.end();
      return Promise.resolve({ value: undefined, done: true });
    },
    close: () => inbox.end(),
    [Symbol.asyncIterator]() {
      return this;
    },
  };
}
