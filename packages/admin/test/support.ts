import { randomBytes } from 'node:crypto';
import { createTierkit, type Tierkit, type TierkitOptions } from 'tierkit';
import { createAdmin, type Admin, type AdminOptions, type AdminToken } from '../src/index.ts';

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
