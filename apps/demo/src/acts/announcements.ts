import type { Heard } from '../instance/announcements.ts';
import type { InstanceProcess } from '../instance/instance-process.ts';
import { PLANS } from '../instance/allowances.ts';
import type { Stage } from '../stage/stage.ts';

const project = 'announced';
const session = 'editor-2';
const user = 'eve';
const version = 'v2';
const FILES = 20;

/** What one instance says on the bus reaches the other: warnings, health, what has ended, and a new version. */
export async function announcementsAct(stage: Stage): Promise<void> {
  const { a, b, instances, printer, verdicts } = stage;
  const other = b ?? a;
  const where =
    b === undefined ? 'what the instance says on its bus in memory, heard by itself' : 'said on A, heard on B';
  printer.title(`Events and notifications: ${where}`);
  await Promise.all(instances.map((instance) => instance.call('listen', undefined)));
  const heard: (readonly Heard[])[] = [
    ...(await quotaWarnings(stage, other)),
    await healthChecks(stage, other),
    ...(await endings(stage, other)),
    ...(await promotion(stage, other)),
  ];
  printer.table([
    ['channel', 'events', 'from', 'heard after', 'the last of them, as it was heard'],
    ...heard.flatMap((events) => {
      const last = events.at(-1);
      if (last === undefined) return [];
      const from = [...new Set(events.map((event) => event.from))].sort().join(', ');
      return [[last.channel, events.length, from, `≤ ${Math.max(1, ...events.map(({ ms }) => ms))} ms`, last.data]];
    }),
  ]);
  const counted = await a.call('prometheus', { metric: 'tierkit_bus_published' });
  printer.line(`What Prometheus reads at A: ${counted.join('; ')}.`);
  const silent = heard.filter((events) => events.length === 0).length;
  verdicts.expect(
    `${other.name} hears every channel that was used`,
    `${heard.length - silent} of ${heard.length}`,
    silent === 0,
  );
}

/** A user spends what their plan has, on A. */
async function quotaWarnings({ a, editable, verdicts }: Stage, other: InstanceProcess): Promise<(readonly Heard[])[]> {
  const path = editable[0] ?? '';
  const requests = Array.from({ length: PLANS.free.analysisRuns }, (_, i) => ({ request: `announced-${i}`, path }));
  const { warnings } = await a.call('chargedAnalyses', { user, requests });
  const count = warnings.length;
  const told = await other.call('hear', { type: 'system:quota_warning', about: user, count });
  const missing = warnings.filter((warning) => !told.some(({ data }) => data.includes(warning)));
  verdicts.expect(
    `${other.name} hears the quota warnings of A`,
    `${count - missing.length} of ${count}`,
    count > 0 && missing.length === 0,
  );
  return [
    told,
    await other.call('hear', { type: 'notifications:user:{id}', about: user, count }),
    await other.call('hear', { type: 'notifications:admin', about: user, count: 1 }),
  ];
}

async function healthChecks({ instances }: Stage, other: InstanceProcess): Promise<readonly Heard[]> {
  await Promise.all(instances.map((instance) => instance.call('healthCheck', undefined)));
  return other.call('hear', { type: 'system:health_check', about: 'up', count: instances.length });
}

/** What A ends of a session, a project and a user is not read on the other instance any more. */
async function endings(stage: Stage, other: InstanceProcess): Promise<(readonly Heard[])[]> {
  const { a, editable, printer, verdicts } = stage;
  const paths = editable.slice(0, 3);
  const read = async (): Promise<{ readonly snippet: boolean; readonly reports: number; readonly user: boolean }> => ({
    snippet: (await other.call('snippet', { session })) !== undefined,
    reports: (await other.call('reports', { project, paths })).filter(({ by }) => by !== 'load').length,
    user: !(await other.call('user', { user })),
  });
  await a.call('saveSnippet', { session, snippet: { code: 'let it = be', language: 'ts' } });
  await read();
  const before = await read();
  await a.call('logout', { session });
  await a.call('projectChanged', { project });
  await a.call('userChanged', { user });
  const heard = [
    await other.call('hear', { type: 'events:session_ended', about: session, count: 1 }),
    await other.call('hear', { type: 'events:project_changed', about: project, count: 1 }),
    await other.call('hear', { type: 'events:user_changed', about: user, count: 1 }),
  ];
  // The cache's own news may come a moment later than these.
  for (const about of [session, project, 'user:'])
    await other.call('hear', { type: 'system:cache_invalidation', about, count: 1 });
  const after = await read();
  const held = (state: typeof before): string =>
    `${[state.snippet ? 1 : 0, state.reports, state.user ? 1 : 0].join(' + ')} entries`;
  printer.line(
    `A session ends, a project and a user change, on A. Of them ${other.name} had ${held(before)}; now it has ${held(after)}.`,
  );
  const gone = !after.snippet && after.reports === 0 && !after.user;
  const were = before.snippet && before.reports === paths.length && before.user;
  verdicts.expect('a session, project or user that A ends is gone everywhere', held(after), were && gone);
  return heard;
}

/** One instance promotes a version, one of all ends the analyses of before, and no process goes on with what it holds. */
async function promotion(stage: Stage, other: InstanceProcess): Promise<(readonly Heard[])[]> {
  const { instances, editable, printer, verdicts } = stage;
  const paths = editable.slice(0, FILES);
  // One after the other: the first has to analyse, the second finds what the first found.
  const analyse = async (): Promise<string[]> => {
    const rows: string[] = [];
    for (const instance of instances) {
      const readings = await instance.call('analyse', { project, paths });
      const by = (level: string): number => readings.filter((reading) => reading.by === level).length;
      rows.push(`${instance.name}: ${by('L1')} in process, ${by('L2')} in Redis, ${by('load')} analysed`);
    }
    return rows;
  };
  const cold = await analyse();
  const warm = await analyse();
  await other.call('versionPromoted', { version });
  const about = JSON.stringify(['analyses']);
  await Promise.all(
    instances.map((instance) => instance.call('hear', { type: 'system:cache_invalidation', about, count: 1 })),
  );
  const heard = [
    await stage.a.call('hear', { type: 'events:version_promoted', about: version, count: 1 }),
    await other.call('hear', { type: 'notifications:alerts', about: version, count: 1 }),
    await other.call('hear', { type: 'system:cache_invalidation', about, count: 1 }),
  ];
  const anew = await analyse();
  printer.line(`Before ${version}: ${warm.join('; ')}.`);
  printer.line(`After it:  ${anew.join('; ')}.`);
  const asCold = anew.filter((row, index) => row === cold[index]).length;
  verdicts.expect(
    'a promoted version ends analyses on every instance',
    `${asCold} of ${instances.length} as if cold`,
    asCold === instances.length && warm.every((row, index) => row !== cold[index]),
  );
  return heard;
}
