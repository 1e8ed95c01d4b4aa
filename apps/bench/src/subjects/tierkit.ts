import { createTiers, type Scope, type Tiers } from '@tierkit/cache';
import type { Telemetry } from '@tierkit/core';
import type { Subject } from '../subject.ts';

export const tierkitProject: Subject = createTierkit('tierkit project scope', (tiers) => tiers.project('bench'));
export const tierkitGlobal: Subject = createTierkit('tierkit global', (tiers) => tiers.global);

/** What a hit on an entry with tags is measured against. */
export const tierkitUntagged: Subject = {
  name: 'limit: tierkit project scope without tags',
  role: 'limit',
  open: (setup) => tierkitProject.open({ ...setup, tags: [] }),
};

const maxBytes = 1_073_741_824;

interface Options {
  readonly role?: Subject['role'];
  /** Another build of the cache. @default the one that is installed */
  readonly build?: () => Promise<{ readonly createTiers: typeof createTiers }>;
  /** Made when the subject is opened. */
  readonly telemetry?: () => { readonly telemetry: Telemetry; close(): Promise<unknown> };
}

export function createTierkit(
  name: string,
  scopeOf: (tiers: Tiers) => Scope,
  { role = 'ours', build = async () => ({ createTiers }), telemetry }: Options = {},
): Subject {
  return {
    name,
    role,
    async open({ level, operation, port, maxEntries, tags }) {
      const l1 = level === 'l2' ? false : { maxEntries, maxBytes };
      const told = telemetry?.();
      const built = await build();
      const tiers = built.createTiers({
        redis: `redis://127.0.0.1:${port}`,
        l1,
        ...(told && { telemetry: told.telemetry }),
      });
      await tiers.ready();
      const scope = scopeOf(tiers);
      return {
        read: operation === 'get' ? (key) => scope.get(key) : (key, load) => scope.getOrSet(key, load),
        readMany: (keys) => scope.getMany(keys),
        write: (key, value) => scope.set(key, value, { tags }),
        close: async () => {
          await tiers.close();
          await told?.close();
        },
      };
    },
  };
}
