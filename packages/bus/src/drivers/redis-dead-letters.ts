import type { RedisConnection } from '@tierkit/redis';
import type { DeadEntry, DeadLetterStore } from './driver.ts';
import { countKey, deadKey } from './names.ts';
import { replay } from './redis-scripts/replay.ts';

export class RedisDeadLetters implements DeadLetterStore {
  readonly #redis: RedisConnection;

  constructor(redis: RedisConnection) {
    this.#redis = redis;
  }

  async list(stream: string, after: string | undefined, limit: number): Promise<DeadEntry[]> {
    const start = after === undefined ? '-' : `(${after}`;
    const entries = await this.#redis.execute((client) =>
      client.xrangeBuffer(deadKey(stream), start, '+', 'COUNT', limit),
    );
    return entries.map(([id, fields]) => {
      const at = (name: string): Buffer | undefined => {
        const index = fields.findIndex((field, i) => i % 2 === 0 && field.toString() === name);
        return index === -1 ? undefined : fields[index + 1];
      };
      return {
        id: id.toString(),
        message: at('m') ?? Buffer.alloc(0),
        subject: at('s')?.toString(),
        group: at('g')?.toString() ?? '',
        attempts: Number(at('t')?.toString() ?? 0),
        reason: at('r')?.toString() ?? '',
      };
    });
  }

  async replay(stream: string, ids: readonly string[]): Promise<number> {
    if (ids.length === 0) return 0;
    return replay.run(this.#redis, { stream, counter: countKey(stream), dead: deadKey(stream) }, { ids: [...ids] });
  }

  async remove(stream: string, ids: readonly string[]): Promise<number> {
    if (ids.length === 0) return 0;
    return this.#redis.execute((client) => client.xdel(deadKey(stream), ...ids));
  }
}
