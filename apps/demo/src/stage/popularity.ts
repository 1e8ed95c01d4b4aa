/** Numbers from 0 to 1, the same for the same seed. */
export function random(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x9e_37_79_b9) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 16), 0x21_f0_aa_ad);
    mixed = Math.imul(mixed ^ (mixed >>> 15), 0x73_5a_2d_97);
    return ((mixed ^ (mixed >>> 15)) >>> 0) / 2 ** 32;
  };
}

/** Picks items by Zipf's law: the n-th most popular one n times more rarely than the first. */
export function popularity<T>(items: readonly T[], next: () => number): () => T {
  const ranked = items
    .map((item) => ({ item, place: next() }))
    .sort((a, b) => a.place - b.place)
    .map(({ item }) => item);
  let sum = 0;
  const upTo = ranked.map((_, index) => (sum += 1 / (index + 1)));
  return () => {
    const mark = next() * sum;
    const index = upTo.findIndex((bound) => mark < bound);
    return ranked.at(index) as T;
  };
}
