import type { FoundPage } from '../inspection/key-query.ts';
import type { CacheStore, Claim, ClaimRequest, Lease, StoredEntry } from './store.ts';
import type { TagStamp } from '../tags/stamped-tags.ts';
import type { TagReading, TagSource } from '../tags/tag-source.ts';

/** The second level that keeps nothing: every read is a miss, every load runs, every change is confirmed. */
export class NullStore implements CacheStore {
  readonly moment = 0;
  async read(): Promise<undefined> {}
  async refuseForeign(): Promise<void> {}

  async readMany(_scope: unknown, keys: readonly string[]): Promise<(StoredEntry | undefined)[]> {
    return keys.map(() => undefined);
  }

  async write(): Promise<void> {}

  async remove(): Promise<void> {}

  async clear(): Promise<void> {}

  async clearTier(): Promise<void> {}

  async discard(): Promise<void> {}

  suspectOversized(): void {}

  async ttl(): Promise<undefined> {}

  async *scan(): AsyncIterable<string[]> {}

  async page(): Promise<FoundPage> {
    return { keys: [], cursor: undefined };
  }

  async voidLeases(): Promise<void> {}

  async announcePattern(): Promise<void> {}

  async claim(scope: unknown, key: string, { token }: ClaimRequest): Promise<Claim> {
    return { kind: 'granted', lease: await this.beginWrite(scope, key, token), stale: undefined };
  }

  async beginWrite(_scope: unknown, key: string, token: string): Promise<Lease> {
    return { key, token, generation: Buffer.alloc(8), tags: undefined };
  }

  async fill(): Promise<boolean> {
    return false;
  }

  async renew(): Promise<boolean> {
    return true;
  }

  async release(): Promise<void> {}
}

/** No table ever moves where nothing is kept. */
export class NullTagSource implements TagSource {
  async stamp(): Promise<TagStamp> {
    return { table: -1, at: 0 };
  }

  async read(): Promise<TagReading> {
    return { table: -1, at: 0, versions: [] };
  }

  async invalidate(): Promise<TagStamp> {
    return { table: -1, at: 0 };
  }
}
