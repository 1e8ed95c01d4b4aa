import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { cpus } from 'node:os';
import { dirname, join } from 'node:path';
import { Redis } from 'ioredis';

const libraries = [
  'ioredis',
  'lru-cache',
  'msgpackr',
  'async-cache-dedupe',
  'bentocache',
  'cacheable',
  'cache-manager',
  '@epic-web/cachified',
  'rate-limiter-flexible',
  'rate-limit-redis',
  '@upstash/ratelimit',
];

/** What the figures depend on: processor, Node, Redis and the versions of the libraries. */
export async function describeMachine(port: number): Promise<string> {
  const redis = new Redis({ port, protocol: 2 });
  try {
    const version = /redis_version:(\S+)/.exec(await redis.info('server'))?.[1] ?? 'unknown';
    return [
      `${cpus().length} x ${cpus()[0]?.model ?? 'unknown'}; Node ${process.versions.node}; Redis ${version}`,
      libraries.map((name) => `${name} ${versionOf(name)}`).join(', '),
      '',
    ].join('\n');
  } finally {
    redis.disconnect();
  }
}

/** The version in the nearest package.json above the entry of a library that names it. */
function versionOf(library: string): string {
  let folder = dirname(createRequire(import.meta.url).resolve(library));
  for (;;) {
    try {
      const manifest = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as {
        name?: string;
        version?: string;
      };
      if (manifest.name === library && manifest.version !== undefined) return manifest.version;
    } catch {
      // Most folders have none.
    }
    if (folder === dirname(folder)) return 'unknown';
    folder = dirname(folder);
  }
}
