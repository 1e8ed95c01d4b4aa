import { Redis } from 'ioredis';
import { sleep } from '../support/sleep.ts';

/** One command on a connection of its own, answered or rejected within 2 s. */
export async function ask(port: number, command: string, ...args: readonly (string | number)[]): Promise<unknown> {
  const redis = new Redis({
    port,
    lazyConnect: true,
    protocol: 2,
    connectTimeout: 1_000,
    commandTimeout: 1_000,
    enableReadyCheck: false,
    retryStrategy: () => null,
  });
  redis.on('error', () => {});
  try {
    await redis.connect();
    return await redis.call(command, ...args);
  } finally {
    redis.disconnect();
  }
}

/** Waits until `condition` holds; an exception from it counts as no. Fails after `withinMs`. */
export async function until(
  what: string,
  condition: () => boolean | Promise<boolean>,
  withinMs = 15_000,
): Promise<void> {
  const deadline = Date.now() + withinMs;
  let problem: unknown;
  while (Date.now() < deadline) {
    try {
      if (await condition()) return;
    } catch (error) {
      problem = error;
    }
    await sleep(20);
  }
  throw new Error(`not within ${withinMs} ms: ${what}`, { cause: problem });
}
