import { setTimeout as sleep } from 'node:timers/promises';
import type { InstanceProcess } from '../instance/instance-process.ts';
import { monotonicMs } from '../instance/change-watch.ts';
import type { Reading } from '../instance/operations.ts';
import type { PrivateRedis } from '../private-redis.ts';
import { duration, latencies } from '../stage/latencies.ts';
import type { Stage } from '../stage/stage.ts';
import { fileToEdit } from './editing.ts';

const project = 'tour';
const OUTAGE_MS = 3_500;
const RETURN_DEADLINE_MS = 15_000;
const SLOW_CALL_MS = 1_000;

/** Redis is killed under load and comes back: analysis goes on, and afterwards the instances agree. */
export async function outageAct(stage: Stage): Promise<void> {
  const { b, redis, printer } = stage;
  printer.title('5  Redis stops and returns');
  if (redis.kind !== 'private' || b === undefined) {
    const why =
      redis.kind === 'given' ? "the Redis of REDIS_URL is not the demo's to stop" : 'in memory there is no Redis';
    return printer.note(`Left out: ${why}.`);
  }
  const path = fileToEdit(stage);
  for (const instance of stage.instances) await instance.call('reports', { project, paths: stage.paths });
  const during = await stop(stage, redis.server, path);
  await comeBack(stage, redis.server, b, path, during.hash);
}

async function stop(stage: Stage, server: PrivateRedis, path: string): Promise<{ hash: string }> {
  const { instances, paths, printer, verdicts } = stage;
  await server.kill();
  const until = monotonicMs() + OUTAGE_MS;
  const readings: Reading[] = [];
  while (monotonicMs() < until) {
    const passes = instances.map((instance) => instance.call('reports', { project, paths }));
    readings.push(...(await Promise.all(passes)).flat());
    await sleep(50);
  }
  await stage.edits.edit(path);
  const saved = await stage.a.call('save', { project, path });
  const [own] = await stage.a.call('reports', { project, paths: [path] });

  const loads = readings.filter(({ by }) => by === 'load').length;
  const longest = Math.max(saved.storeMs, latencies(readings.map(({ ms }) => ms)).longest);
  printer.line(
    `Redis is killed. In ${duration(OUTAGE_MS)} A and B answer ${readings.length} requests: ${readings.length - loads} from`,
  );
  printer.line(`what they hold, ${loads} by analysing again; no call fails, the longest takes ${duration(longest)}.`);
  printer.line(
    `A saves an edit: "stored" is ${saved.stored}, as it has to be, and A itself reads ${own?.hash === saved.hash ? 'the new' : 'THE OLD'} version.`,
  );
  verdicts.expect(
    'without Redis every request is answered in time',
    `longest ${duration(longest)}`,
    longest < SLOW_CALL_MS,
  );
  const honest = !saved.stored && own?.hash === saved.hash;
  verdicts.expect('a save without Redis is not called stored', `stored: ${saved.stored}`, honest);
  return { hash: saved.hash };
}

async function comeBack(
  stage: Stage,
  server: PrivateRedis,
  b: InstanceProcess,
  path: string,
  hash: string,
): Promise<void> {
  const { a, instances, paths, printer, verdicts } = stage;
  await server.start();
  await stage.guard();
  const returned = monotonicMs();
  const waited = async (met: () => Promise<boolean>): Promise<number | undefined> => {
    while (!(await met())) {
      if (monotonicMs() - returned > RETURN_DEADLINE_MS) return undefined;
      await sleep(5);
    }
    return monotonicMs() - returned;
  };
  const agreed = await waited(async () => {
    const versions = await Promise.all(instances.map((each) => each.call('reports', { project, paths: [path] })));
    return versions.every(([version]) => version?.hash === hash);
  });
  const connected = await waited(async () => {
    const states = await Promise.all(instances.map((each) => each.call('connected', undefined)));
    return states.every(Boolean);
  });
  const [onA, onB] = await Promise.all([a, b].map((each) => each.call('reports', { project, paths })));
  const differing = paths.filter((_, index) => onA?.[index]?.hash !== onB?.[index]?.hash).length;
  printer.line(`Redis returns with the old version in it. Both instances are connected ${shown(connected)},`);
  printer.line(
    `and B reads what A saved meanwhile ${shown(agreed)}. A and B differ in ${differing} of ${paths.length} files.`,
  );
  const coherent = connected !== undefined && agreed !== undefined && differing === 0;
  verdicts.expect('coherent again once Redis is back', shown(agreed), coherent);

  await stage.edits.edit(path);
  await b.call('watch', { project, path, oldHash: hash, timeoutMs: 2_000 });
  const saved = await a.call('save', { project, path });
  const seen = await b.call('watched', undefined);
  const right = saved.stored && seen.hash === saved.hash;
  printer.line(`A saves again: stored is ${saved.stored}, B reads ${right ? 'the new version' : 'SOMETHING ELSE'}.`);
  verdicts.expect('edits reach B as before', right ? 'so they do' : 'they do not', right);
  await stage.edits.undo();
}

function shown(ms: number | undefined): string {
  return ms === undefined ? 'NEVER' : `after ${duration(ms)}`;
}
