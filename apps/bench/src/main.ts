import { writeFileSync } from 'node:fs';
import { allScenarios } from './all-scenarios.ts';
import { readOptions, usage, type BenchOptions } from './options.ts';
import { countCommands } from './redis-commands.ts';
import { missedGoals } from './goals.ts';
import { renderTable, summarise, toRow, type Row } from './report.ts';
import { describeMachine } from './machine.ts';
import { startRedis } from '@tierkit/tests/servers';

const print = (text: string): void => void process.stdout.write(`${text}\n`);

function parse(): BenchOptions | undefined {
  try {
    const options = readOptions(process.argv.slice(2));
    if (!allScenarios.some(({ name }) => options.only.test(name)))
      throw new Error('no scenario has a name that --only matches; --list prints them');
    // A file that cannot be written is better known now than after the measurement.
    if (options.json !== undefined && !options.list) writeFileSync(options.json, '[]\n');
    return options;
  } catch (error) {
    process.stderr.write(`bench: ${(error as Error).message.split('\n', 1)[0]} (${usage})\n`);
    process.exitCode = 2;
    return undefined;
  }
}

async function run(options: BenchOptions): Promise<void> {
  const chosen = allScenarios.filter(({ name }) => options.only.test(name));
  if (options.list) return print(chosen.map(({ name }) => name).join('\n'));
  const server = await startRedis();
  const commands = await countCommands(server.port);
  const rows: Row[] = [];
  try {
    print(await describeMachine(server.port));
    for (const scenario of chosen) {
      const result = await scenario.run({ port: server.port, commands }, options.quick);
      const summaries = summarise(result);
      rows.push(...summaries.map(toRow));
      print(renderTable(result, summaries));
      for (const missed of missedGoals(result, summaries)) {
        print(`${missed}\n`);
        process.exitCode = 1;
      }
    }
  } finally {
    commands.close();
    await server.stop();
  }
  if (options.json !== undefined) writeFileSync(options.json, `${JSON.stringify(rows, undefined, 2)}\n`);
}

const options = parse();
if (options !== undefined) await run(options);
