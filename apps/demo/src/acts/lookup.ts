import { LicenceRegistry } from '../instance/licence-registry.ts';
import { duration, latencies, percent } from '../stage/latencies.ts';
import type { Stage } from '../stage/stage.ts';

const CALLERS = 50;
const HITS = 200;
const FALLBACK = { name: 'typescript', importer: '.' };

/** A slow lookup in the global tier: many callers on both instances, and one question to the registry. */
export async function lookupAct({ a, b, instances, paths, printer, verdicts }: Stage): Promise<void> {
  printer.title(
    `4  A slow lookup: the licence of an imported package, from a registry that is simulated to answer in ${LicenceRegistry.LOOKUP_MS} ms`,
  );
  const { packages } = await a.call('survey', { project: 'tour', paths });
  const asked = packages.find(({ name }) => !name.startsWith('@tierkit/')) ?? FALLBACK;
  const first = await Promise.all(
    instances.map((instance) => instance.call('licence', { ...asked, callers: CALLERS })),
  );
  const questions = first.reduce((sum, { registryCalls }) => sum + registryCalls, 0);
  const hits = await a.call('licence', { ...asked, callers: 1 });
  const times: number[] = [];
  for (let hit = 0; hit < HITS; hit++) {
    const { readings } = await (b ?? a).call('licence', { ...asked, callers: 1 });
    times.push(...readings.map(({ ms }) => ms));
  }
  const waited = latencies(first.flatMap(({ readings }) => readings.map(({ ms }) => ms)));
  const { p50 } = latencies(times);
  printer.line(
    `${asked.name}: ${hits.licence.licence}. ${CALLERS * instances.length} callers at once waited ${duration(waited.p50)} (longest ${duration(waited.longest)}),`,
  );
  printer.line(
    `the registry was asked ${questions === 1 ? 'once' : `${questions} times`}; after that a lookup takes ${duration(p50)}.`,
  );
  const faster = 1 - p50 / LicenceRegistry.LOOKUP_MS;
  verdicts.expect(
    'a lookup hit at least 90 % faster than the registry',
    `${duration(p50)} for ${LicenceRegistry.LOOKUP_MS} ms: ${percent(faster)} faster`,
    faster >= 0.9,
  );
  verdicts.expect(
    `${CALLERS * instances.length} callers at once ask the registry once`,
    `asked ${questions}`,
    questions === 1,
  );
}
