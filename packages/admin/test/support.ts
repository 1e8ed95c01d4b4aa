import { randomBytes } from 'node:crypto';
import { createLocks, type Locks } from '@tierkit/lock';
import { createQuota } from '@tierkit/quota';
import { createLimiter, fixedWindow, tokenBucket } from '@tierkit/rate-limit';
import { createTierkit, type Tierkit, type TierkitOptions } from 'tierkit';
import {
  createAdmin,
  type Admin,
  type AdminOptions,
  type AdminParts,
  type AdminToken,
  type QueuePart,
} from '../src/index.ts';

const secret = (name: string): string => `${name}-0123456789abcdef`;

/** A token for each role, for each edition of the seeds, and for each right alone. */
export const tokens: readonly (AdminToken & { name: string })[] = [
  { name: 'viewer', token: secret('viewer'), role: 'viewer' },
  { name: 'operator', token: secret('operator'), role: 'operator' },
  { name: 'admin', token: secret('admin'), role: 'admin' },
  { name: 'admin with values', token: secret('admin with values').replaceAll(' ', '-'), role: 'admin', values: true },
  { name: 'business edition', token: secret('business'), rights: ['stats', 'clear'] },
  { name: 'enterprise edition', token: secret('enterprise'), rights: ['stats', 'clear', 'names', 'values'] },
  { name: 'nothing', token: secret('nothing'), rights: [] },
];

export const bearer = (name: string): string => {
  const found = tokens.find((one) => one.name === name);
  return found !== undefined && 'token' in found ? found.token : '';
};

export interface Asked {
  readonly status: number;
  readonly body: unknown;
  readonly headers: Headers;
}

/** Calls the API as somebody; null sends no token. */
export async function ask(
  admin: Pick<Admin, 'app'>,
  method: string,
  path: string,
  as: string | null = 'admin with values',
  init: RequestInit = {},
): Promise<Asked> {
  const headers = new Headers(init.headers);
  if (as !== null) headers.set('authorization', `Bearer ${bearer(as)}`);
  const response = await admin.app.request(path, { ...init, method, headers });
  const type = response.headers.get('content-type') ?? '';
  if (type.includes('event-stream')) {
    await response.body?.cancel();
    return { status: response.status, body: undefined, headers: response.headers };
  }
  const text = await response.text();
  return { status: response.status, body: text === '' ? undefined : JSON.parse(text), headers: response.headers };
}

export interface Setup {
  readonly kit: Tierkit;
  readonly admin: Admin;
  close(): Promise<void>;
}

export async function setup(
  redis: TierkitOptions['redis'],
  options: Partial<AdminOptions> = {},
  kitOptions: Partial<TierkitOptions> = {},
): Promise<Setup> {
  // What is tested here is no deadline: the machine may be busy.
  const patient = typeof redis === 'string' && redis.includes(':') ? { url: redis, commandTimeout: '10s' } : redis;
  const kit = createTierkit({ redis: patient, prefix: `t${randomBytes(6).toString('hex')}:`, ...kitOptions });
  await kit.ready('10s');
  const admin = createAdmin(kit, { tokens, ...options });
  return {
    kit,
    admin,
    async close() {
      admin.close();
      await kit.close();
    },
  };
}

const opened: { close(): Promise<void> }[] = [];

export async function closeParts(): Promise<void> {
  await Promise.all(opened.splice(0).map((one) => one.close()));
}

/** A limiter, a quota, locks and a queue, all called `some`. */
export async function someParts(url: string): Promise<
  AdminParts & {
    readonly locks: Locks;
    readonly quota: { add(subject: string, amounts: { calls: number; bytes: number }): Promise<unknown> };
  }
> {
  const prefix = `t${randomBytes(6).toString('hex')}:`;
  const redis = { url, commandTimeout: '10s' } as const;
  const locks = createLocks({ redis, prefix });
  const policies = [fixedWindow({ limit: 3, per: '1h' }), tokenBucket({ capacity: 10, refill: 1, per: '1m' })];
  const limiter = createLimiter('some', policies, { redis, prefix });
  const quota = createQuota(
    { calls: { per: 'day', limit: 5 }, bytes: { per: 'month', limit: Infinity } },
    { redis, prefix },
  );
  opened.push(locks, limiter, quota);
  await Promise.all([locks.ready('10s'), limiter.ready('10s'), quota.ready('10s')]);
  return {
    locks,
    quota,
    limiters: () => [limiter],
    quotas: () => [
      { name: 'some', usage: (subject) => quota.usage(subject), reset: (subject) => quota.reset(subject) },
    ],
    queues: () => [queueOf('some', ['a'])],
  };
}

/** A queue that gave these up, kept in memory. */
export function queueOf(name: string, ids: readonly string[]): QueuePart {
  let letters = ids.map((id) => ({ id, group: 'g', attempts: 3, reason: 'it failed', payload: { secret: id } }));
  const take = async (chosen?: readonly string[]): Promise<number> => {
    const before = letters.length;
    letters = letters.filter(({ id }) => chosen !== undefined && !chosen.includes(id));
    return before - letters.length;
  };
  return {
    name,
    kind: 'stream',
    state: async () => ({ waiting: 1, pending: 2, deadLetters: letters.length, groups: [{ name: 'g', pending: 2 }] }),
    deadLetters: { list: async ({ limit }) => letters.slice(0, limit), replay: take, remove: take },
  };
}
