import { z } from '@hono/zod-openapi';
import type { HealthSource } from '../admin-source.ts';

const count = z.number();
const figures = {
  version: z.string(),
  role: z.string(),
  uptimeSeconds: count,
  usedMemoryBytes: count,
  peakMemoryBytes: count,
  maxMemoryBytes: count,
  maxMemoryPolicy: z.string(),
  connectedClients: count,
  commands: count,
  commandsPerSecond: count,
  keys: count,
  keyspaceHits: count,
  keyspaceMisses: count,
  evictedKeys: count,
  expiredKeys: count,
};

/** What Redis's masters say of themselves, summed up and one by one. */
export const ServerFigures = z
  .object({
    ...figures,
    keyspaceHitRate: z.number().min(0).max(1),
    nodes: z.array(z.object({ address: z.string(), ...figures })).readonly(),
  })
  .openapi('ServerFigures');

/** Null without Redis. */
export async function serverFigures(source: HealthSource): Promise<z.input<typeof ServerFigures> | null> {
  const server = await source.server();
  if (server === undefined) return null;
  const { keyspaceHits: hits, keyspaceMisses: misses } = server.total;
  return { ...server.total, keyspaceHitRate: hits === 0 ? 0 : hits / (hits + misses), nodes: server.nodes };
}
