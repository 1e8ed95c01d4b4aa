// node --conditions=@tierkit/source --import tsx packages/admin/bench/requests.bench.ts
// What a request of the API costs by itself, without a network, on a cache in memory.
import { createAdmin } from '@tierkit/admin';
import { createTierkit } from 'tierkit';

const token = 'bench-0123456789abcdef';
const kit = createTierkit({ redis: 'memory', prefix: 'bench:' });
const admin = createAdmin(kit, { tokens: [{ token, role: 'admin', values: true }] });
await kit.global.setMany(Array.from({ length: 10_000 }, (_, index) => [`task:${index}`, { index }] as const));

const ROUNDS = 5;
const REQUESTS = 500;

for (const [name, path, sent] of [
  ['refused without a token', '/health', ''],
  ['whoami', '/api/v1/whoami', token],
  ['stats', '/api/v1/cache/stats', token],
  ['one value', '/api/v1/cache/key/task:1', token],
  ['100 of 10,000 keys', '/api/v1/cache/keys?pattern=task:*', token],
] as const) {
  const rounds: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const startMs = performance.now();
    for (let index = 0; index < REQUESTS; index++) {
      const response = await admin.app.request(path, { headers: { authorization: `Bearer ${sent}` } });
      await response.arrayBuffer();
    }
    rounds.push(((performance.now() - startMs) * 1_000) / REQUESTS);
  }
  process.stdout.write(`${name.padEnd(26)} ${Math.min(...rounds).toFixed(0)} us\n`);
}
admin.close();
await kit.close();
