import type { RedisConnection } from '@tierkit/redis';
import { encodeRecord, parseRecord } from './pending-record.ts';
import type { Letter, LetterStore, QueueKeys } from './pending-store.ts';

/** What was given up, in a stream of its own for each queue. */
export class RedisLetters implements LetterStore {
  readonly #redis: RedisConnection;

  constructor(redis: RedisConnection) {
    this.#redis = redis;
  }

  async bury(queue: QueueKeys, letters: readonly Omit<Letter, 'id'>[], most: number): Promise<void> {
    await this.#redis.execute((client) =>
      Promise.all(
        letters.map(({ generationKey, write, reason, failures }) =>
          client.xadd(
            deadKey(queue),
            'MAXLEN',
            '~',
            most,
            '*',
            'scope',
            generationKey,
            'name',
            write.name,
            'record',
            encodeRecord(write, queue.name),
            'reason',
            reason,
            'failures',
            failures,
          ),
        ),
      ),
    );
  }

  async list(queue: QueueKeys, after: string, count: number): Promise<readonly Letter[]> {
    const from = after === '' ? '-' : `(${after}`;
    const entries = await this.#redis.execute((client) =>
      client.xrangeBuffer(deadKey(queue), from, '+', 'COUNT', count),
    );
    return entries.flatMap(([id, parts]) => {
      const fields = new Map<string, Buffer>();
      for (let at = 0; at + 1 < parts.length; at += 2) fields.set(String(parts[at]), parts[at + 1] as Buffer);
      const text = (field: string): string => fields.get(field)?.toString() ?? '';
      const write = parseRecord(text('name'), fields.get('record') ?? null);
      if (write === undefined) return [];
      const failures = Number(text('failures')) || 0;
      return [{ id: String(id), generationKey: text('scope'), write, reason: text('reason'), failures }];
    });
  }

  count(queue: QueueKeys): Promise<number> {
    return this.#redis.execute((client) => client.xlen(deadKey(queue)));
  }

  async discard(queue: QueueKeys, ids: readonly string[]): Promise<number> {
    return ids.length === 0 ? 0 : this.#redis.execute((client) => client.xdel(deadKey(queue), ...ids));
  }

  discardAll(queue: QueueKeys): Promise<number> {
    return this.#redis.execute((client) => client.xtrim(deadKey(queue), 'MAXLEN', 0));
  }
}

function deadKey({ registry }: QueueKeys): string {
  return `${registry}~dead`;
}
