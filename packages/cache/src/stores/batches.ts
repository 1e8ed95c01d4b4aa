/** Keys of one call that are asked for at once and share its deadline; those of a longer call follow when these are done. */
const AT_ONCE = 5_000;
/** The same for what is sent. */
const BYTES_AT_ONCE = 4_194_304;

/**
 * Acts on the batches of `AT_ONCE` items, or of `BYTES_AT_ONCE`, at once, and then on the next ones. Rejects when all that
 * was begun has ended.
 */
export async function inBatches<T, R>(
  items: readonly T[],
  size: number,
  act: (batch: readonly T[], first: boolean) => Promise<R>,
  bytesOf: (item: T) => number = () => 0,
): Promise<R[]> {
  const results: R[] = [];
  for (let at = 0; at < items.length;) {
    const acting: Promise<R>[] = [];
    const first = at === 0;
    const end = at + AT_ONCE;
    for (let bytes = 0; at < Math.min(end, items.length) && bytes < BYTES_AT_ONCE; at += size) {
      const batch = items.slice(at, at + size);
      acting.push(act(batch, first));
      for (const item of batch) bytes += bytesOf(item);
    }
    for (const one of await Promise.allSettled(acting)) {
      if (one.status === 'rejected') throw one.reason;
      results.push(one.value);
    }
  }
  return results;
}
