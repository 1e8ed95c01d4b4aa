import { connect } from 'node:net';
import { installDebian } from './debian.mjs';
import { fail } from './log.mjs';
import { output } from './run.mjs';

const binary = () => process.env['REDIS_SERVER'] ?? 'redis-server';
const found = () => output(binary(), ['--version']) !== undefined;

/**
 * Whether a Redis is at hand: one that listens at REDIS_URL, or a redis-server to start.
 * @returns {Promise<'url' | 'binary' | undefined>}
 */
async function findRedis() {
  const url = process.env['REDIS_URL'];
  if (url) {
    if (!URL.canParse(url)) fail('REDIS_URL is no valid URL');
    const { hostname, port } = new URL(url);
    if (!(await listens(hostname, Number(port || 6379))))
      fail(`REDIS_URL: nothing listens at ${hostname}:${port || 6379}`);
    return 'url';
  }
  return found() ? 'binary' : undefined;
}

/** Makes sure that the tests have a redis-server; on Debian as root it is installed, elsewhere one line says how. */
export async function ensureRedis() {
  if ((await findRedis()) !== undefined) return;
  if (await installDebian('redis-server', found)) return;
  fail(
    'no Redis found. Install redis-server 6.2 or newer (apt-get, dnf or brew install redis), set REDIS_SERVER to its path, or "docker compose up -d --wait" and set REDIS_URL',
  );
}

/** @param {string} host @param {number} port @returns {Promise<boolean>} */
function listens(host, port) {
  return new Promise((resolve) => {
    const socket = connect(port, host.replaceAll(/[[\]]/g, ''));
    /** @param {boolean} answer */
    const end = (answer) => {
      socket.destroy();
      resolve(answer);
    };
    socket.setTimeout(3_000, () => end(false));
    socket.once('connect', () => end(true));
    socket.once('error', () => end(false));
  });
}
