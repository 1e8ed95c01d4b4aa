import type { Algorithm, Meter } from './algorithm.ts';

/**
 * Counts in slots of `width` and sums the last `slots` of them and the one before, which the window may still touch: no
 * window of `slots * width` ever holds more than the limit. What was counted in a slot is free again all at once, up to a
 * width late.
 */
export function slidingWindowAlgorithm(slots: number): Algorithm {
  const kept = slots + 1;
  const numbers = `>${'d'.repeat(kept + 1)}`;
  return {
    layout: `slots${slots}`,
    parameters: ['limit', 'width'],
    lastsUs: ([, width = 0]) => kept * width,
    meter: () => new SlidingWindowMeter(kept),
    lua: {
      stateBytes: 8 * (kept + 1),
      // The oldest slot first.
      read: `
local slot$, used$ = math.floor(now / width$), 0
local counts$ = {${'0,'.repeat(kept)}}
if packed then
  local stored = {struct.unpack('${numbers}', packed, pos)}
  pos = stored[${kept + 2}]
  local passed = math.floor(slot$ - stored[1])
  if not (passed > 0) then passed = 0 end
  for k = 1, ${kept} - passed do
    local count = stored[1 + k + passed]
    if count > 0 then
      counts$[k] = count
      used$ = used$ + count
    end
  end
end`,
      retry: `
local over, k = used$ + cost - limit$, 0
while over > 0 and k < ${kept} do
  k = k + 1
  over = over - counts$[k]
end
retry$ = (slot$ + k) * width$ - now`,
      add: `
counts$[${kept}] = counts$[${kept}] + cost
used$ = used$ + cost`,
      giveBack: `
local left$ = cost
local from$, to$ = 1, ${kept}
if taken > 0 then
  from$ = ${kept} - (slot$ - math.floor(taken / width$))
  to$ = from$
end
for k = math.max(1, from$), math.min(${kept}, to$) do
  local given = math.min(left$, counts$[k])
  counts$[k] = counts$[k] - given
  used$ = used$ - given
  left$ = left$ - given
end`,
      reset: `(function()
  for k = ${kept}, 1, -1 do
    if counts$[k] > 0 then return (slot$ + k) * width$ - now end
  end
  return 0
end)()`,
      pack: `struct.pack('${numbers}', slot$, unpack(counts$))`,
    },
  };
}

class SlidingWindowMeter implements Meter {
  readonly #counts: number[];
  #slot = 0;

  constructor(kept: number) {
    this.#counts = Array.from({ length: kept }, () => 0);
  }

  used(nowUs: number, [, width = 0]: readonly number[]): number {
    const counts = this.#counts;
    const slot = Math.floor(nowUs / width);
    const passed = Math.max(0, slot - this.#slot);
    this.#slot = slot;
    let used = 0;
    for (let k = 0; k < counts.length; k++) {
      const count = counts[k + passed] ?? 0;
      counts[k] = count;
      used += count;
    }
    return used;
  }

  retryUs(nowUs: number, [limit = 0, width = 0]: readonly number[], cost: number): number {
    let over = this.#sum() + cost - limit;
    let k = 0;
    while (over > 0 && k < this.#counts.length) over -= this.#counts[k++] ?? 0;
    return (this.#slot + k) * width - nowUs;
  }

  add(_nowUs: number, _: readonly number[], cost: number): void {
    this.#take(this.#counts.length - 1, -cost);
  }

  // At a time unknown the oldest first: whatever was meant, no window then holds more than the limit.
  giveBack(_nowUs: number, [, width = 0]: readonly number[], cost: number, takenUs: number): void {
    const last = this.#counts.length - 1;
    const place = last - (this.#slot - Math.floor(takenUs / width));
    const [from, to] = takenUs === 0 ? [0, last] : [Math.max(0, place), Math.min(last, place)];
    let left = cost;
    for (let k = from; k <= to; k++) {
      const given = Math.min(left, this.#counts[k] ?? 0);
      this.#take(k, given);
      left -= given;
    }
  }

  resetUs(nowUs: number, [, width = 0]: readonly number[]): number {
    const newest = this.#counts.findLastIndex((count) => count > 0);
    return newest === -1 ? 0 : (this.#slot + newest + 1) * width - nowUs;
  }

  #take(k: number, units: number): void {
    this.#counts[k] = (this.#counts[k] ?? 0) - units;
  }

  #sum(): number {
    return this.#counts.reduce((sum, count) => sum + count, 0);
  }
}
