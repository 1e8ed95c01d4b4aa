/** A cache that holds so many entries, until it is closed. */
export interface Filled {
  close(): Promise<unknown>;
}

/**
 * What each of `entries` more costs, the tables that grow with them included: the difference between a cache that has them and
 * one that has a tenth as many, so that what any cache costs, and its connection, cancels out.
 */
export async function bytesPerEntry(
  fill: (entries: number) => Promise<Filled>,
  entries: number,
  heldBytes: () => Promise<number>,
): Promise<number> {
  const few = Math.ceil(entries / 10);
  // What is compiled and set up once belongs to neither.
  await (await fill(few)).close();
  const before = await heldBytes();
  const small = await fill(few);
  const withSmall = await heldBytes();
  const large = await fill(few + entries);
  const withLarge = await heldBytes();
  await small.close();
  await large.close();
  return (withLarge - withSmall - (withSmall - before)) / entries;
}
