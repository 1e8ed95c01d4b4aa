import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';
import { LongestFirst } from './support/longest-first.ts';

// Workspace packages resolve to their TypeScript sources, so tests need no build.
const conditions = ['@tierkit/source', 'node', 'import', 'default'];
const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));
const sources = {
  resolve: { conditions },
  ssr: { resolve: { conditions, externalConditions: ['@tierkit/source', 'node'] } },
};
const shared = {
  setupFiles: [here('support/fast-check.ts')],
  globalSetup: [here('support/global-redis.ts')],
  benchmark: { include: [] },
  testTimeout: 20_000,
  hookTimeout: 60_000,
};
// These mostly wait, for Redis or for processes of theirs. Five more at once took a fifth less time, and was too close to what
// tests of time can bear.
const waiting = ['test/{e2e,isolation,servers,workspace,write-behind}/**/*.test.ts'];
const beside = { maxWorkers: availableParallelism() + 2, sequence: { groupOrder: 0 } };

export default defineConfig({
  ...sources,
  test: {
    root: here('..'),
    sequence: { sequencer: LongestFirst },
    projects: [
      {
        ...sources,
        test: {
          ...shared,
          ...beside,
          name: 'packages',
          // No module has state, so files share what is imported; anew for each, that takes a fifth of the time of all tests.
          isolate: false,
          include: ['packages/*/test/**/*.test.ts', 'apps/*/test/**/*.test.ts'],
        },
      },
      {
        ...sources,
        test: {
          ...shared,
          ...beside,
          name: 'workspace',
          include: waiting,
          testTimeout: 90_000,
        },
      },
      {
        ...sources,
        test: {
          ...shared,
          ...beside,
          name: 'browser',
          include: ['test/browser/**/*.test.ts'],
          globalSetup: [...shared.globalSetup, here('support/built-dashboard.ts'), here('support/shared-chromium.ts')],
          expect: { poll: { timeout: 15_000 } },
          testTimeout: 60_000,
        },
      },
      {
        ...sources,
        test: {
          name: 'types',
          include: [],
          benchmark: { include: [] },
          typecheck: {
            enabled: true,
            only: true,
            include: ['packages/*/test/**/*.test-d.ts'],
            tsconfig: 'test/tsconfig.types.json',
          },
        },
      },
      // Faults, several processes and whole clusters: one file at a time, so that load does not look like a fault.
      {
        ...sources,
        test: {
          ...shared,
          name: 'system',
          include: ['test/**/*.test.ts'],
          exclude: ['**/node_modules/**', 'test/browser/**', ...waiting],
          testTimeout: 90_000,
          fileParallelism: false,
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
});
