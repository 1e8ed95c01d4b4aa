// node --conditions=@tierkit/source --import tsx packages/cache/bench/prefetch.bench.ts [TRACE.gz]
// What prefetch does for the share of reads that the in-process level answers, on what the demo asked its instances for:
// DEMO_TRACE=trace.tsv npm run demo -- packages/cache/src --once && gzip trace.tsv
import { createTiers } from '@tierkit/cache';
import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';

const file = process.argv[2] ?? new URL('demo-trace.tsv.gz', import.meta.url);
const accesses = gunzipSync(readFileSync(file))
  .toString()
  .trim()
  .split('\n')
  .map((line) => line.split('\t'))
  .filter(([, , operation]) => operation !== 'save' && operation !== 'watch');
const distinct = new Set(accesses.map(([instance, project, , path]) => [instance, project, path].join('\t'))).size;

interface Outcome {
  readonly hits: number;
  readonly begun: number;
  readonly used: number;
}

/** Replays the trace, an instance after another, on a level that holds a share of what is read. */
async function replay(share: number, prefetch: false | { minShare: number }, only: string): Promise<Outcome> {
  const outcome = { hits: 0, begun: 0, used: 0 };
  for (const instance of ['A', 'B']) {
    const maxEntries = Math.max(1, Math.round((distinct / 2) * share));
    const tiers = createTiers({ redis: 'memory', l1: { maxEntries } });
    const report = tiers.project.define({
      name: 'report',
      key: (path: string) => ['report', path],
      load: (project, path) => ({ project, path }),
      prefetch,
    });
    for (const [by, project = '', , path = ''] of accesses) {
      if (by !== instance || !project.startsWith(only)) continue;
      const entry = report(project);
      if (entry.peek(path) !== undefined) outcome.hits++;
      await entry.get(path);
      // A request takes a while, in which what was begun arrives.
      await new Promise(setImmediate);
    }
    const { begun = 0, used = 0 } = report('tour').prefetched ?? {};
    outcome.begun += begun;
    outcome.used += used;
    await tiers.close();
  }
  return outcome;
}

const percent = (part: number, whole: number): string => (whole === 0 ? '-' : `${((100 * part) / whole).toFixed(1)} %`);

console.log(`${accesses.length} reads of ${distinct} entries by two instances`);
for (const only of ['', 'requests', 'tour']) {
  const reads = accesses.filter(([, project]) => project?.startsWith(only)).length;
  for (const share of [0.1, 0.5]) {
    const off = await replay(share, false, only);
    for (const minShare of [0.3, 0.5, 0.8]) {
      const on = await replay(share, { minShare }, only);
      console.log(
        `${only || 'all'}: L1 holds ${percent(share, 1)}, minShare ${minShare}: L1 answers ${percent(off.hits, reads)}, ` +
          `with prefetch ${percent(on.hits, reads)}; ${on.begun} fetched, of use ${percent(on.used, on.begun)}`,
      );
    }
  }
}
