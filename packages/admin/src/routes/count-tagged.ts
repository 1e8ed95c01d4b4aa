import type { Inspection, KeyPlace } from '@tierkit/cache';

/** Pages that are walked: 500 times 10,000 keys of Redis are looked at, or 500,000 that have a tag. */
const MAX_PAGES = 500;
/** However slowly Redis answers. */
const MOST_MS = 20_000;

/**
 * How many entries have one of the tags now, those that follow from other tags not included.
 *
 * @param place one scope; undefined for all tiers
 */
export async function countTagged(
  inspection: Inspection,
  tags: readonly string[],
  place: KeyPlace | undefined,
  mostMs = MOST_MS,
): Promise<{ deleted: number; complete: boolean }> {
  const wanted = new Set(tags);
  const [only] = tags;
  // A listing may give a key twice.
  const found = new Set<string>();
  const until = performance.now() + mostMs;
  let pages = 0;
  for (const at of place === undefined ? inspection.tiers.map((tier) => ({ tier })) : [place]) {
    let cursor: string | undefined;
    do {
      if (++pages > MAX_PAGES || performance.now() > until) return { deleted: found.size, complete: false };
      const page = await inspection.keys({ ...at, limit: 1_000, cursor, ...(tags.length === 1 ? { tag: only } : {}) });
      for (const { tier, scope, key, tags: has } of page.keys) {
        if (has.some((tag) => wanted.has(tag))) found.add(`${tier}\n${scope}\n${key}`);
      }
      ({ cursor } = page);
    } while (cursor !== undefined);
  }
  return { deleted: found.size, complete: true };
}
