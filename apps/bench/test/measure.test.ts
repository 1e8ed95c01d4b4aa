import { describe, expect, test } from 'vitest';
import { measure, type Runner } from '../src/measure.ts';

/** A machine on which an operation takes as long as it is told to. */
class Machine {
  ms = 0;
  readonly slices: string[] = [];

  runner(name: string, msPerOperation: () => number): Runner {
    return {
      name,
      run: async (operations) => {
        this.slices.push(name);
        this.ms += operations * msPerOperation();
      },
    };
  }

  now = (): number => this.ms;
}

const options = { rounds: 21, sliceMs: 40, warmUpMs: 100, maxMs: Infinity };

describe('measure', () => {
  test('finds the time of an operation, be it short or longer than a slice', async () => {
    const machine = new Machine();
    const runners = [0.0001, 0.01, 90].map((ms) => machine.runner(`${ms} ms`, () => ms));
    const timings = await measure(runners, { ...options, now: machine.now });
    expect(timings.map(({ name }) => name)).toEqual(['0.0001 ms', '0.01 ms', '90 ms']);
    for (const [i, expected] of [100, 10_000, 90_000_000].entries()) {
      expect(timings[i]?.nsPerOperation).toHaveLength(options.rounds);
      for (const ns of timings[i]?.nsPerOperation ?? []) expect(ns).toBeCloseTo(expected, 3);
    }
  });

  test('gives every subject one slice a round, of about the length asked for', async () => {
    const machine = new Machine();
    const lengths: number[] = [];
    const runner = machine.runner('a', () => 0.001);
    const timed: Runner = {
      name: 'a',
      run: async (operations) => {
        const before = machine.ms;
        await runner.run(operations);
        lengths.push(machine.ms - before);
      },
    };
    await measure([timed], { ...options, now: machine.now });
    for (const length of lengths.slice(-options.rounds)) expect(length).toBeCloseTo(options.sliceMs, 1);
  });

  test('interleaves: every round has every subject once, in orders that differ', async () => {
    const machine = new Machine();
    const names = ['a', 'b', 'c', 'd'];
    const runners = names.map((name) => machine.runner(name, () => 0.01));
    await measure(runners, { ...options, now: machine.now });
    const slices = machine.slices.slice(-options.rounds * names.length);
    const rounds = Array.from({ length: options.rounds }, (_, i) => slices.slice(i * 4, i * 4 + 4));
    for (const round of rounds) expect(round.toSorted()).toEqual(names);
    expect(new Set(rounds.map((round) => round.join(''))).size).toBeGreaterThan(5);
  });

  test('ends early on a machine that is too slow, yet never before five rounds', async () => {
    const machine = new Machine();
    const [early] = await measure([machine.runner('a', () => 0.01)], { ...options, maxMs: 300, now: machine.now });
    expect(early?.nsPerOperation).toHaveLength(8);
    const [least] = await measure([machine.runner('a', () => 0.01)], { ...options, maxMs: 0, now: machine.now });
    expect(least?.nsPerOperation).toHaveLength(5);
  });

  test('a slow spell of the machine hits all subjects of its rounds alike', async () => {
    const machine = new Machine();
    const slowdown = (): number => (machine.ms > 2_000 ? 3 : 1);
    const [limit, other] = await measure(
      [machine.runner('limit', () => 0.001 * slowdown()), machine.runner('other', () => 0.002 * slowdown())],
      { ...options, now: machine.now },
    );
    const ratios = other?.nsPerOperation.map((ns, round) => ns / (limit?.nsPerOperation[round] ?? 0)) ?? [];
    expect(ratios.filter((ratio) => Math.abs(ratio - 2) < 1e-9).length).toBeGreaterThanOrEqual(options.rounds - 1);
  });
});
