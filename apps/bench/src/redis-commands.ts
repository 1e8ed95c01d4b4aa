import { Redis } from 'ioredis';

/** Counts what a server executes, its own counting aside. */
export interface CommandCounter {
  /** The calls of all commands since the server started. */
  total(): Promise<number>;
  close(): void;
}

export async function countCommands(port: number): Promise<CommandCounter> {
  const redis = new Redis({ port, protocol: 2, lazyConnect: true });
  redis.on('error', () => {});
  await redis.connect();
  return {
    total: async () => sumOfCalls(await redis.info('commandstats')),
    close: () => redis.disconnect(),
  };
}

function sumOfCalls(info: string): number {
  let total = 0;
  for (const [, name, calls] of info.matchAll(/^cmdstat_([^:]+):calls=(\d+)/gm))
    if (name !== 'info') total += Number(calls);
  return total;
}
