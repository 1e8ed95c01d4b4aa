import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { freePort, startRedis, type StandaloneRedis } from '../../../test/servers/index.ts';
import { createRedis } from '../src/index.ts';

let folder: string;
let server: StandaloneRedis;
let port: number;

const openssl = (...args: string[]): void => {
  execFileSync('openssl', args, { cwd: folder, stdio: 'ignore' });
};

function authority(name: string): void {
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', `${name}.key`];
  openssl('req', '-x509', ...key, '-out', `${name}.crt`, '-days', '2', '-subj', `/CN=${name}`);
}

function certificate(name: string, issuer: string): void {
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', `${name}.key`];
  openssl('req', '-new', ...key, '-out', `${name}.csr`, '-subj', `/CN=${name}`);
  writeFileSync(join(folder, `${name}.ext`), 'subjectAltName=DNS:localhost');
  const signed = ['-CA', `${issuer}.crt`, '-CAkey', `${issuer}.key`, '-CAcreateserial', '-extfile', `${name}.ext`];
  openssl('x509', '-req', '-in', `${name}.csr`, ...signed, '-out', `${name}.crt`, '-days', '2');
}

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'tierkit-tls-'));
  authority('ca');
  authority('stranger');
  certificate('redis', 'ca');
  port = await freePort();
  const files = (['ca-cert-file', 'ca.crt', 'cert-file', 'redis.crt', 'key-file', 'redis.key'] as const).map(
    (part, i) => (i % 2 === 0 ? `--tls-${part}` : join(folder, part)),
  );
  server = await startRedis([
    '--tls-port',
    String(port),
    '--tls-auth-clients',
    'no',
    '--requirepass',
    'secret',
    ...files,
  ]);
});
afterAll(async () => {
  await server.stop();
  rmSync(folder, { recursive: true, force: true });
});

const read = (name: string): string => readFileSync(join(folder, name), 'utf8');

test('rediss:// with the right authority is verified and works, duplicates too', async () => {
  const redis = createRedis({ url: `rediss://:secret@localhost:${port}`, tls: { ca: read('ca.crt') } });
  try {
    await redis.ready();
    expect(await redis.execute((client) => client.ping())).toBe('PONG');
    const duplicate = redis.duplicate('subscriber');
    await once(duplicate, 'ready');
    expect(await duplicate.subscribe('channel')).toBe(1);
  } finally {
    await redis.close();
  }
});

test.each([
  ['an unknown authority', 'localhost', {}, /unable to verify|self-signed/],
  ['another authority', 'localhost', { ca: () => read('stranger.crt') }, /unable to verify|self-signed|signature/],
  ['another host name', '127.0.0.1', { ca: () => read('ca.crt') }, /does not match certificate|altnames/],
])('%s is refused', async (_what, host, tls, message) => {
  const ca = 'ca' in tls ? { ca: tls.ca() } : {};
  const redis = createRedis({ host, port, password: 'secret', tls: ca });
  try {
    const refused: unknown = await redis.ready(500).catch((error: unknown) => error);
    expect(refused).toMatchObject({
      code: 'ERR_REDIS_UNAVAILABLE',
      cause: { message: expect.stringMatching(message) as string },
    });
  } finally {
    await redis.close();
  }
});

test('a server without TLS is refused', async () => {
  const redis = createRedis({ url: `rediss://:secret@localhost:${server.port}`, tls: { ca: read('ca.crt') } });
  await expect(redis.ready(500)).rejects.toMatchObject({ code: 'ERR_REDIS_UNAVAILABLE' });
  await redis.close();
});
