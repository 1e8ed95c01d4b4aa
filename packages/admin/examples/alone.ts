import { createAdmin, serveAdmin } from '@tierkit/admin';
import { createTierkit } from 'tierkit';

const kit = createTierkit({ redis: process.env['REDIS_URL'] ?? 'memory', prefix: 'example-admin:' });
const admin = createAdmin(kit, {
  tokens: [
    { name: 'grafana', token: 'viewer-0123456789', role: 'viewer' },
    { name: 'on-call', token: 'operator-0123456789', role: 'operator', values: true },
  ],
  onAudit: ({ actor, operation, status }) => process.stdout.write(`audit: ${actor} ${operation} ${status}\n`),
});
await kit.ready('10s');
const server = await serveAdmin(admin, { port: 0 });

await kit.global.set('task:1', { name: 'write' });
await kit.global.set('task:2', { name: 'test' });

async function call(method: string, path: string, token: string): Promise<Record<string, unknown>> {
  const headers = { authorization: `Bearer ${token}` };
  const response = await fetch(`http://127.0.0.1:${server.port}${path}`, { method, headers });
  return (await response.json()) as Record<string, unknown>;
}

const viewer = 'viewer-0123456789';
const operator = 'operator-0123456789';
const { found } = await call('GET', '/api/v1/cache/keys?pattern=task:*&limit=100', viewer);
process.stdout.write(`keys: ${String(found)}\n`);
const { value } = await call('GET', '/api/v1/cache/key/task:1', operator);
process.stdout.write(`value: ${JSON.stringify(value)}\n`);
const { code } = await call('DELETE', '/api/v1/cache/clear', viewer);
process.stdout.write(`a viewer clears: ${String(code)}\n`);
const { deleted } = await call('DELETE', '/health/cache/invalidate/task:*', operator);
process.stdout.write(`deleted: ${String(deleted)}\n`);

await server.close();
await kit.close();
