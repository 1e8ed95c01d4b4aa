/**
 * What `attempt` gives once it took less than `ms`: for what only means something within that time, which a busy machine
 * may miss. Each round has a number, for keys of its own.
 */
export async function within<T>(ms: number, attempt: (round: number) => Promise<T>): Promise<T> {
  for (let round = 0; ; round++) {
    const began = performance.now();
    const result = await attempt(round);
    if (performance.now() - began < ms) return result;
  }
}
