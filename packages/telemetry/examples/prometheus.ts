import { createCache } from '@tierkit/cache';
import { prometheus } from '@tierkit/telemetry/prometheus';
import { register } from 'prom-client';

const cache = createCache({ redis: 'memory', telemetry: prometheus({ registry: register }) });
await cache.set('greeting', 'hello');
await cache.get('greeting');
await cache.get('nothing');

// What GET /metrics answers in your server.
const text = await register.metrics();
for (const line of text.split('\n')) if (line.startsWith('tierkit_cache_reads_total')) console.log(line);
await cache.close();
