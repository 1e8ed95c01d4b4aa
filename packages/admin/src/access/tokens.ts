import { TierkitError } from '@tierkit/core';
import { createHash, timingSafeEqual } from 'node:crypto';
import { RIGHTS, ROLE_RIGHTS, type Right, type Role } from './rights.ts';

/** A bearer token and what it may do. */
export type AdminToken = {
  /** Who it is in the audit log. @default its role and its place in the list */
  readonly name?: string;
} & ({ readonly token: string } | { /** Of the token, as 64 hex digits. */ readonly sha256: string }) &
  (
    | {
        readonly role: Role;
        /** Whether it may also read cached values. @default false */
        readonly values?: boolean;
      }
    | { /** Rights one by one, where no role fits. */ readonly rights: readonly Right[] }
  );

/** Who asks. */
export interface Actor {
  readonly name: string;
  readonly role: Role | undefined;
  readonly rights: ReadonlySet<Right>;
}

/** Names an actor by the token that was sent; undefined for none that is known. */
export type Authenticate = (token: string) => Actor | undefined;

const SHORTEST_TOKEN = 16;

/**
 * What is compared are digests of equal length, all of them each time, so that neither the length of a token nor how
 * much of it is right nor its place in the list can be told from the time that it takes.
 *
 * @throws {TierkitError} `ERR_ADMIN_OPTIONS` naming every fault
 */
export function authenticator(tokens: readonly AdminToken[]): Authenticate {
  const faults: string[] = [];
  if (!Array.isArray(tokens)) faults.push('tokens must be a list');
  const known = (Array.isArray(tokens) ? tokens : []).map((entry: AdminToken, index) => {
    const fault = (rule: string): void => void faults.push(`tokens[${index}] ${rule}`);
    const actor = actorOf(entry, index, fault);
    return { actor, digest: digestOf(entry, fault) };
  });
  const digests = new Set(known.map(({ digest }) => digest.toString('hex')));
  if (faults.length === 0 && digests.size < known.length) faults.push('tokens must differ from each other');
  if (faults.length > 0) throw new TierkitError('ERR_ADMIN_OPTIONS', faults.join('; '), { details: { faults } });
  return (token) => {
    const sent = sha256(token);
    let found: Actor | undefined;
    for (const { actor, digest } of known) if (timingSafeEqual(sent, digest)) found = actor;
    return found;
  };
}

function actorOf(entry: AdminToken, index: number, fault: (rule: string) => void): Actor {
  const given = typeof entry === 'object' && entry !== null ? entry : ({} as AdminToken);
  const role = 'role' in given ? given.role : undefined;
  const rights = new Set<Right>();
  if (role !== undefined && 'rights' in given) fault('has a role and rights: give one of them');
  if (role !== undefined) {
    if (!Object.hasOwn(ROLE_RIGHTS, role)) fault(`has no such role: ${Object.keys(ROLE_RIGHTS).join(', ')}`);
    else for (const right of ROLE_RIGHTS[role]) rights.add(right);
    if ('values' in given && given.values) rights.add('values');
  } else if ('rights' in given && Array.isArray(given.rights)) {
    for (const right of given.rights) {
      if (!RIGHTS.includes(right)) fault(`has an unknown right: ${RIGHTS.join(', ')}`);
      rights.add(right);
    }
  } else fault('needs a role, or a list of rights');
  return { name: given.name ?? `${role ?? 'token'}-${index + 1}`, role, rights };
}

function digestOf(entry: AdminToken, fault: (rule: string) => void): Buffer {
  const given: Partial<Record<'token' | 'sha256', unknown>> = typeof entry === 'object' && entry !== null ? entry : {};
  if (given.token !== undefined && given.sha256 !== undefined) fault('has a token and a sha256: give one of them');
  if (typeof given.sha256 === 'string' && /^[\da-f]{64}$/i.test(given.sha256)) return Buffer.from(given.sha256, 'hex');
  const usable = typeof given.token === 'string' && /^[\x21-\x7e]+$/.test(given.token);
  if (given.sha256 !== undefined) fault('has a sha256 that is not 64 hex digits');
  else if (!usable || String(given.token).length < SHORTEST_TOKEN) {
    fault(`needs a token of at least ${SHORTEST_TOKEN} printable characters without spaces`);
  }
  return sha256(String(given.token));
}

function sha256(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
