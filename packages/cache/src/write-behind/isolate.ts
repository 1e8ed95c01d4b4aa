/** Calls in a row that may fail without one that succeeds; then it is the sink, and not what it is given. */
const CALLS = 16;

export interface Isolated<T> {
  readonly taken: readonly T[];
  readonly failed: readonly Failure<T>[];
}

export interface Failure<T> {
  readonly item: T;
  readonly error: unknown;
  /** Whether it was the only one that the sink was given. */
  readonly alone: boolean;
}

/**
 * Gives items to a sink, all at once, and if that fails in halves down to single items, so that a bad one takes no others
 * with it. Which half comes first is random: a sink that seems to be away takes another part of the batch the next time.
 *
 * @param attempt rejects unless the sink has all of them
 */
export async function isolate<T>(
  items: readonly T[],
  attempt: (items: readonly T[]) => Promise<void>,
  stopped: () => boolean = () => false,
): Promise<Isolated<T>> {
  const taken: T[] = [];
  const failed: Failure<T>[] = [];
  let inRow = 0;
  const left: (readonly T[])[] = [items];
  for (let part = left.pop(); part !== undefined; part = left.pop()) {
    try {
      if (stopped()) throw new Error('the queue is closed');
      await attempt(part);
      inRow = 0;
      taken.push(...part);
    } catch (error) {
      inRow++;
      const away = (taken.length === 0 && inRow >= CALLS) || stopped();
      if (part.length === 1 || away) {
        for (const item of part) failed.push({ item, error, alone: part.length === 1 && !away });
        if (away) {
          for (const rest of left.splice(0)) for (const item of rest) failed.push({ item, error, alone: false });
        }
      } else {
        const middle = Math.ceil(part.length / 2);
        const halves = [part.slice(0, middle), part.slice(middle)];
        left.push(...(Math.random() < 0.5 ? halves : halves.toReversed()));
      }
    }
  }
  return { taken, failed };
}
