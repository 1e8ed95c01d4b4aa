/** One subject as the measurement sees it. */
export interface Runner {
  readonly name: string;
  /** Performs so many operations. */
  run(operations: number): Promise<void>;
}

export interface MeasureOptions {
  readonly rounds: number;
  readonly sliceMs: number;
  readonly warmUpMs: number;
  /** No further round begins after so long, once there are five. */
  readonly maxMs: number;
  /** Milliseconds on a clock that never goes back. @default performance.now */
  readonly now?: () => number;
}

/** One entry per round, in the order of the rounds. */
export interface Timing {
  readonly name: string;
  readonly nsPerOperation: readonly number[];
}

const leastRounds = 5;

interface Calibrated {
  readonly runner: Runner;
  readonly operations: number;
  readonly nsPerOperation: number[];
}

/**
 * Measures all runners side by side: after a warm-up of each, every round gives each one a slice of about `sliceMs`, in
 * an order that is shuffled anew, so that a disturbance of the machine and the garbage of a neighbour hit all alike.
 */
export async function measure(runners: readonly Runner[], options: MeasureOptions): Promise<Timing[]> {
  const now = options.now ?? (() => performance.now());
  const subjects: Calibrated[] = [];
  for (const runner of runners) {
    const operations = await operationsPerSlice(runner, options, now);
    subjects.push({ runner, operations, nsPerOperation: [] });
  }
  const random = pseudoRandom(1);
  const begin = now();
  for (let round = 0; round < options.rounds; round++) {
    if (round >= leastRounds && now() - begin > options.maxMs) break;
    for (const { runner, operations, nsPerOperation } of shuffled(subjects, random)) {
      // Replies and timers of the slice before must not end up in this one.
      await new Promise(setImmediate);
      const start = now();
      await runner.run(operations);
      nsPerOperation.push(((now() - start) / operations) * 1e6);
    }
  }
  return subjects.map(({ runner, nsPerOperation }) => ({ name: runner.name, nsPerOperation }));
}

/** Warms up, then finds how many operations last one slice. */
async function operationsPerSlice(runner: Runner, options: MeasureOptions, now: () => number): Promise<number> {
  const start = now();
  for (let operations = 1; ; operations *= 2) {
    const before = now();
    await runner.run(operations);
    const took = now() - before;
    const warm = now() - start >= options.warmUpMs;
    if (warm && took >= options.sliceMs / 4) return Math.max(1, Math.round((operations * options.sliceMs) / took));
    if (took >= options.sliceMs) operations /= 2;
  }
}

function shuffled<T>(items: readonly T[], random: () => number): T[] {
  return items
    .map((item) => ({ item, place: random() }))
    .sort((a, b) => a.place - b.place)
    .map(({ item }) => item);
}

/** Numbers in [0, 1) that are the same in every run (mulberry32). */
function pseudoRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
