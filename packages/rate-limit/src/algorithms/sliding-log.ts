import type { Algorithm, Meter } from './algorithm.ts';

/** Keeps the time and amount of each cost in the window: exact to the microsecond, at 16 bytes for each. */
export const slidingLogAlgorithm: Algorithm = {
  layout: 'log',
  parameters: ['limit', 'per'],
  lastsUs: ([, per = 0]) => per,
  meter: () => new SlidingLogMeter(),
  lua: {
    stateBytes: 16,
    varies: true,
    // The oldest first, and before them their sum and how many bytes they take.
    read: `
local used$, log$ = 0, ''
if packed then
  local sum, bytes
  sum, bytes, pos = struct.unpack('>dd', packed, pos)
  if bytes ~= 0 and not (bytes >= 16 and bytes % 16 == 0 and pos + bytes - 1 <= #packed) then
    packed = false
  elseif bytes > 0 then
    local from, last = pos, pos + bytes - 16
    while from <= last do
      local at, count = struct.unpack('>dd', packed, from)
      if at + per$ > now then break end
      sum = sum - count
      from = from + 16
    end
    if from <= last and sum > 0 then used$, log$ = sum, string.sub(packed, from, last + 15) end
    pos = pos + bytes
  end
end`,
    retry: `
local over, from, at = used$ + cost - limit$, 1, now
while over > 0 and from < #log$ do
  local count
  at, count, from = struct.unpack('>dd', log$, from)
  over = over - count
end
retry$ = math.min(per$, at + per$ - now)`,
    add: `
log$ = log$ .. struct.pack('>dd', now, cost)
used$ = used$ + cost`,
    giveBack: `
local left$, from$, kept$ = cost, 1, {}
while from$ < #log$ do
  local at, count
  at, count, from$ = struct.unpack('>dd', log$, from$)
  if taken == 0 or at == taken then
    local given = math.min(left$, count)
    left$, count, used$ = left$ - given, count - given, used$ - given
  end
  if count > 0 then kept$[#kept$ + 1] = struct.pack('>dd', at, count) end
end
log$ = table.concat(kept$)`,
    reset: `used$ > 0 and math.min(per$, struct.unpack('>d', log$, #log$ - 15) + per$ - now) or 0`,
    pack: `struct.pack('>dd', used$, #log$) .. log$`,
  },
};

interface Taken {
  readonly atUs: number;
  readonly cost: number;
}

class SlidingLogMeter implements Meter {
  #log: Taken[] = [];
  #used = 0;

  used(nowUs: number, [, per = 0]: readonly number[]): number {
    const alive = this.#log.findIndex(({ atUs }) => atUs + per > nowUs);
    const expired = this.#log.splice(0, alive === -1 ? this.#log.length : alive);
    for (const { cost } of expired) this.#used -= cost;
    return this.#used;
  }

  retryUs(nowUs: number, [limit = 0, per = 0]: readonly number[], cost: number): number {
    let over = this.#used + cost - limit;
    let at = nowUs;
    for (const taken of this.#log) {
      if (over <= 0) break;
      over -= taken.cost;
      at = taken.atUs;
    }
    return Math.min(per, at + per - nowUs);
  }

  add(nowUs: number, _: readonly number[], cost: number): void {
    this.#log.push({ atUs: nowUs, cost });
    this.#used += cost;
  }

  giveBack(_nowUs: number, _: readonly number[], cost: number, takenUs: number): void {
    let left = cost;
    this.#log = this.#log.flatMap((taken) => {
      if (takenUs !== 0 && taken.atUs !== takenUs) return [taken];
      const given = Math.min(left, taken.cost);
      left -= given;
      this.#used -= given;
      return given === taken.cost ? [] : [{ atUs: taken.atUs, cost: taken.cost - given }];
    });
  }

  resetUs(nowUs: number, [, per = 0]: readonly number[]): number {
    const newest = this.#log.at(-1);
    return newest === undefined ? 0 : Math.min(per, newest.atUs + per - nowUs);
  }
}
