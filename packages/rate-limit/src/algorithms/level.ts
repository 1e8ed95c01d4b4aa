import { LONGEST_US, type Algorithm, type Meter } from './algorithm.ts';

/** The highest limit that a policy may have. */
const MOST_LEVEL = 1e9;

/**
 * A level that each cost raises and that sinks at a steady rate: the continuous-state leaky bucket, which ITU-T I.371
 * defines beside the virtual scheduling algorithm as the other form of the GCRA. Read from the top it is a token bucket.
 *
 * The level is kept rather than what is left of the limit or a time of arrival, so that a subject whose limit changes
 * has used as much as before.
 */
export const levelAlgorithm: Algorithm = {
  layout: 'level',
  // How many microseconds it takes to sink by a unit.
  parameters: ['limit', 'unit'],
  lastsUs: ([limit = 0, unit = 0]) => Math.min(LONGEST_US, Math.ceil(limit * unit)),
  meter: () => new LevelMeter(),
  lua: {
    stateBytes: 16,
    read: `
local used$, at$ = 0, now
if packed then
  used$, at$, pos = struct.unpack('>dd', packed, pos)
  if now > at$ then used$ = used$ - (now - at$) / unit$ end
  if not (used$ >= 0 and used$ <= ${MOST_LEVEL}) then used$ = 0 end
end`,
    retry: `retry$ = math.min(${LONGEST_US}, math.ceil((used$ + cost - limit$) * unit$))`,
    add: `used$ = used$ + cost`,
    // What has sunk since may have been of this cost.
    giveBack: `
local sunk$ = taken == 0 and 0 or math.max(0, now - taken) / unit$
used$ = math.max(0, used$ - math.max(0, cost - sunk$))`,
    reset: `used$ * unit$`,
    pack: `struct.pack('>dd', used$, now)`,
  },
};

class LevelMeter implements Meter {
  #level = 0;
  #atUs = 0;

  used(nowUs: number, [, unit = 0]: readonly number[]): number {
    this.#level = Math.max(0, this.#level - Math.max(0, nowUs - this.#atUs) / unit);
    this.#atUs = nowUs;
    return this.#level;
  }

  retryUs(_nowUs: number, [limit = 0, unit = 0]: readonly number[], cost: number): number {
    return Math.min(LONGEST_US, Math.ceil((this.#level + cost - limit) * unit));
  }

  add(_nowUs: number, _: readonly number[], cost: number): void {
    this.#level += cost;
  }

  giveBack(nowUs: number, [, unit = 0]: readonly number[], cost: number, takenUs: number): void {
    const sunk = takenUs === 0 ? 0 : Math.max(0, nowUs - takenUs) / unit;
    this.#level = Math.max(0, this.#level - Math.max(0, cost - sunk));
  }

  resetUs(_nowUs: number, [, unit = 0]: readonly number[]): number {
    return Math.min(LONGEST_US, Math.ceil(this.#level * unit));
  }
}
