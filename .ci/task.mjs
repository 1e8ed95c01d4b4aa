// Runs one task of the workspace on a machine that has only Node and npm: whatever the task needs is set up first.
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ensureChromium } from './lib/chromium.mjs';
import { buildDashboard } from './lib/dashboard.mjs';
import { fail, say } from './lib/log.mjs';
import { lintPackages, packageNames } from './lib/packages.mjs';
import { install } from './lib/pnpm.mjs';
import { ensureRedis } from './lib/redis.mjs';
import { run } from './lib/run.mjs';

process.chdir(join(dirname(fileURLToPath(import.meta.url)), '..'));

const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
if (major < 20 || (major === 20 && minor < 19)) fail(`Node 20.19 or newer is needed, this is ${process.version}`);

const [task = '', ...rest] = process.argv.slice(2);

/** @param {string} script @param {...string} args */
const node = (script, ...args) => run(process.execPath, [script, ...args]);
/** Runs TypeScript from its sources. @param {string} script @param {...string} args */
const source = (script, ...args) => node('--conditions=@tierkit/source', '--import', 'tsx', script, ...args);
async function build() {
  await buildDashboard();
  const references = packageNames().map((name) => `packages/${name}/tsconfig.build.json`);
  return node('node_modules/typescript/bin/tsc', '-b', ...references);
}

/** The dashboard's sources are for browsers, so they have a configuration of their own. */
async function types() {
  for (const project of ['tsconfig.json', 'packages/admin/dashboard/tsconfig.json']) {
    const code = await node('node_modules/typescript/bin/tsc', '-p', project);
    if (code !== 0) return code;
  }
  return 0;
}

async function demo() {
  await buildDashboard();
  return source('apps/demo/src/main.ts', ...rest);
}

async function buildAndSay() {
  const code = await build();
  if (code === 0) say('built: packages/*/dist');
  return code;
}

/** Measures what is published: run from its sources, every function within a function pays for tsx keeping its name. */
async function bench() {
  const built = await build();
  if (built !== 0) return built;
  return node('--import', 'tsx', 'apps/bench/src/main.ts', ...rest.filter((arg) => arg !== '--'));
}

async function screenshots() {
  await buildDashboard();
  return source('test/browser/screenshots.ts');
}

/** @type {Record<string, () => Promise<number>>} */
const checks = {
  types,
  'lint and layers': () => node('node_modules/oxlint/bin/oxlint', '--deny-warnings'),
  format: () => node('node_modules/oxfmt/bin/oxfmt', '--check'),
  'unused code': () => node('node_modules/knip/bin/knip.js'),
  build,
  'package lint': lintPackages,
};

async function check() {
  for (const [name, step] of Object.entries(checks)) {
    say(`check: ${name}`);
    const code = await step();
    if (code !== 0) fail(`check failed: ${name}`);
  }
  say('all checks passed');
  return 0;
}

/** @type {Record<string, { redis?: true, chromium?: true, run: () => Promise<number> }>} */
const tasks = {
  setup: { run: async () => 0 },
  test: {
    redis: true,
    chromium: true,
    run: () => node('node_modules/vitest/vitest.mjs', 'run', '--config', 'test/vitest.config.ts', ...rest),
  },
  check: { run: check },
  build: { run: buildAndSay },
  demo: { run: demo },
  bench: { redis: true, run: bench },
  screenshots: { redis: true, chromium: true, run: screenshots },
  'soak:coherence': { redis: true, run: () => source('test/coherence/soak.ts', ...rest) },
  'soak:write-behind': { redis: true, run: () => source('test/write-behind/soak.ts', ...rest) },
};

const chosen = tasks[task];
if (chosen === undefined) fail(`no task "${task}"; there are ${Object.keys(tasks).join(', ')}`, 2);
if (chosen.redis) await ensureRedis();
if (chosen.chromium) await ensureChromium();
await install();
process.exitCode = await chosen.run();
