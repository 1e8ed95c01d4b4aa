import { afterAll, afterEach, beforeAll, expect, inject, test, vi } from 'vitest';
import { countCommands, type CommandCounter } from '../src/redis-commands.ts';
import { renderTable, summarise, toRow } from '../src/report.ts';
import { runStampede } from '../src/run-stampede.ts';
import { limitLock, loadingSubject } from '../src/subjects/loading-subjects.ts';

const port = Number(new URL(inject('redisUrl')).port);
let commands: CommandCounter;

beforeAll(async () => {
  commands = await countCommands(port);
});
afterAll(() => commands.close());
afterEach(() => vi.restoreAllMocks());

test('counts the loads of all processes: one of ours, one per process of a peer', async () => {
  // What the processes that it starts need for running from sources.
  vi.spyOn(process, 'execArgv', 'get').mockReturnValue(['--conditions=@tierkit/source', '--import', 'tsx']);
  const subjects = [limitLock, loadingSubject('tierkit project scope'), loadingSubject('cachified')];
  const scenario = { name: 'stampede-2x10', processes: 2, callers: 10, loadMs: 300, subjects };
  const result = await runStampede(scenario, { port, commands }, 2);
  const summaries = summarise(result);
  expect(summaries.map(toRow).map(({ subject, loads }) => [subject, loads])).toEqual([
    [limitLock.name, 1],
    ['tierkit project scope', 1],
    ['cachified', 2],
  ]);
  for (const { nsPerOperation } of summaries) expect(nsPerOperation).toBeGreaterThan(290e6);
  expect(renderTable(result, summaries).split('\n')[1]).toMatch(/loads {2}commands\/op$/);
}, 60_000);
