#!/usr/bin/env node
import { readFileSync } from 'node:fs';
import { onSignals, runCli } from '@tierkit/cli';
import { fromEnvironment } from './environment.ts';
import { createTierkit } from './tierkit.ts';

const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as {
  version: string;
};
const controller = new AbortController();
onSignals(controller);
// Whoever reads, such as `head`, has had enough.
process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1));
process.stderr.on('error', () => {});
process.exitCode = await runCli({
  host: {
    version,
    fromEnvironment,
    createTierkit: (options) => createTierkit(options as Parameters<typeof createTierkit>[0]),
  },
  args: process.argv.slice(2),
  environment: process.env,
  stdout: process.stdout,
  stderr: process.stderr,
  terminal: { input: process.stdin, output: process.stderr },
  signal: controller.signal,
});
