import type { Algorithm, Meter } from './algorithm.ts';

/** Counts in a window that begins with the first cost in it; the next one begins with the first cost after its end. */
export const fixedWindowAlgorithm: Algorithm = {
  layout: 'fixed',
  parameters: ['limit', 'per'],
  lastsUs: ([, per = 0]) => per,
  meter: () => new FixedWindowMeter(),
  lua: {
    stateBytes: 16,
    read: `
local start$, used$ = now, 0
if packed then
  start$, used$, pos = struct.unpack('>dd', packed, pos)
  if not (used$ >= 0 and start$ + per$ > now) then start$, used$ = now, 0 end
  if start$ > now then start$ = now end
end`,
    retry: `retry$ = start$ + per$ - now`,
    add: `
if used$ == 0 then start$ = now end
used$ = used$ + cost`,
    giveBack: `if taken == 0 or taken >= start$ then used$ = math.max(0, used$ - cost) end`,
    reset: `used$ > 0 and start$ + per$ - now or 0`,
    pack: `struct.pack('>dd', start$, used$)`,
  },
};

class FixedWindowMeter implements Meter {
  #startUs = 0;
  #used = 0;

  used(nowUs: number, [, per = 0]: readonly number[]): number {
    if (this.#startUs + per <= nowUs) this.#used = 0;
    if (this.#startUs > nowUs) this.#startUs = nowUs;
    return this.#used;
  }

  retryUs(nowUs: number, [, per = 0]: readonly number[]): number {
    return this.#startUs + per - nowUs;
  }

  add(nowUs: number, _: readonly number[], cost: number): void {
    if (this.#used === 0) this.#startUs = nowUs;
    this.#used += cost;
  }

  giveBack(_nowUs: number, _: readonly number[], cost: number, takenUs: number): void {
    if (takenUs === 0 || takenUs >= this.#startUs) this.#used = Math.max(0, this.#used - cost);
  }

  resetUs(nowUs: number, [, per = 0]: readonly number[]): number {
    return this.#used > 0 ? this.#startUs + per - nowUs : 0;
  }
}
