import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { bundle } from '../../../test/support/bundle.ts';

const folder = fileURLToPath(new URL('..', import.meta.url));

/** Runs a program that makes a connection and closes it, and must then end by itself, with nothing left to do. */
export async function left(program: string, onCue?: () => void): Promise<{ code: unknown; output: string }> {
  const source = `
    import { setTimeout as sleep } from 'node:timers/promises';
    import { createRedis, checkHealth } from './src/index.ts';
    process.on('unhandledRejection', (error) => { console.log('unhandled', error); process.exitCode = 3; });
    ${program}
    const start = performance.now();
    await redis.close();
    const ms = performance.now() - start;
    if (ms > 1000) console.log('close took', ms);
    await redis.close();
    await new Promise(setImmediate);
    // The standard streams, and files that are read meanwhile.
    const after = process.getActiveResourcesInfo().filter((resource) => !/^(?:PipeWrap|FSReq)/.test(resource));
    if (after.length > 0) console.log('left', after);
    if (redis.status !== 'closed') console.log('status', redis.status);
    await redis.execute((c) => c.ping()).then(() => console.log('executed'), (e) => e.code === 'ERR_REDIS_UNAVAILABLE' || console.log(e));
    await redis.ready().then(() => console.log('ready'), (e) => e.code === 'ERR_REDIS_UNAVAILABLE' || console.log(e));
  `;
  const { file, remove } = await bundle({ contents: source, resolveDir: folder });
  const child = spawn(process.execPath, [file], { stdio: ['ignore', 'pipe', 'pipe'], cwd: folder });
  let output = '';
  child.stdout.on('data', (data) => {
    output += String(data);
    if (output === 'now\n') {
      output = '';
      onCue?.();
    }
  });
  child.stderr.on('data', (data) => (output += String(data)));
  const timer = setTimeout(() => child.kill('SIGKILL'), 10_000);
  const [code] = (await once(child, 'exit')) as unknown[];
  clearTimeout(timer);
  remove();
  return { code, output };
}

/** What `left` reports of a program that ended by itself, in time, and left nothing. */
export const clean = { code: 0, output: '' };
