import { pathToFileURL } from 'node:url';
import type { createTiers, Scope, Tiers } from '@tierkit/cache';
import { bundle, type Edit } from '@tierkit/tests/bundle';
import type { Subject } from '../subject.ts';
import { createTierkit } from './tierkit.ts';

/** Where a read asks whether anybody is told of it, and what would stand there if nobody ever were. */
const hooks: Readonly<Record<string, readonly (readonly [hook: string, without: string])[]>> = {
  '/cache/src/reads/reads.ts': [
    [
      `const timer = state.timers?.of('get');
  if (timer?.traced !== true) return readStore(state, name, timer);
  return timer.run(() => readStore(state, name), { key: state.keyOf(name) });`,
      'return readStore(state, name);',
    ],
    ['const startedMs = timer === undefined ? 0 : performance.now();', ''],
    ['timer?.ended(startedMs);', ''],
  ],
  '/redis/src/ioredis-connection.ts': [
    ['const startedMs = this.#durations === undefined ? 0 : performance.now();', 'const startedMs = 0;'],
    [
      'const durations = this.#durations;\n    if (durations === undefined) return',
      'const durations: CommandDurations = undefined!;\n    if (true) return',
    ],
  ],
};

const withoutHooks: Edit = (path, source) => {
  const found = Object.entries(hooks).find(([end]) => path.endsWith(end));
  return (found?.[1] ?? []).reduce((text, [hook, without]) => {
    if (!text.includes(hook)) throw new Error(`${path} has no more ${JSON.stringify(hook)}`);
    return text.replace(hook, without);
  }, source);
};

/** The cache's sources in one file, as both subjects are: an optimiser may do better with that. */
async function build(edit?: Edit): Promise<{ readonly createTiers: typeof createTiers }> {
  const contents = "export { createTiers } from '@tierkit/cache';";
  const { file, remove } = await bundle({ contents, resolveDir: import.meta.dirname }, edit);
  const built = (await import(pathToFileURL(file).href)) as { readonly createTiers: typeof createTiers };
  remove();
  return built;
}

const project = (tiers: Tiers): Scope => tiers.project('bench');

/** What it costs to ask whether anybody is told, where nobody is. */
export const untoldSubjects: readonly Subject[] = [
  createTierkit('limit: tierkit without the code that tells', project, {
    role: 'limit',
    build: async () => build(withoutHooks),
  }),
  createTierkit('tierkit, telling nobody', project, { build: async () => build() }),
];
