import { expect, inject, test } from 'vitest';
import { events } from '../src/scenarios/events.ts';
import { runEvents } from '../src/run-events.ts';

test('each way hands over every event, and is measured', { timeout: 60_000 }, async () => {
  const port = Number(new URL(inject('redisUrl')).port);
  const commands = { total: () => Promise.resolve(0) } as Parameters<typeof runEvents>[1]['commands'];
  for (const scenario of events) {
    const options = { rounds: 2, sliceMs: 5, warmUpMs: 5, maxMs: 500 };
    const { timings, absent } = await runEvents(scenario, { port, commands }, options);
    expect(absent).toEqual([]);
    expect(timings.map(({ name }) => name)).toEqual(scenario.subjects.map(({ name }) => name));
    for (const { nsPerOperation } of timings) expect(Math.min(...nsPerOperation)).toBeGreaterThan(0);
  }
});
