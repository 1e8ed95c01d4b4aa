import type { Right } from '../../../src/access/rights.ts';
import { Api } from './api.ts';

/** Who is signed in, and what there is for them. */
export interface Session {
  readonly api: Api;
  readonly name: string;
  readonly role: string | null;
  can(right: Right): boolean;
  /** Whether this admin has the operation, named as in its OpenAPI document. */
  has(operation: string): boolean;
}

interface Whoami {
  readonly name: string;
  readonly role: string | null;
  readonly rights: readonly Right[];
}

interface Document {
  readonly paths: Readonly<Record<string, Readonly<Record<string, { readonly operationId?: string }>>>>;
}

/** Asks what the token may do and what the admin offers. @throws {ApiError} 401 for a token that is none */
export async function signIn(token: string, onRefused: () => void): Promise<Session> {
  const api = new Api(token, onRefused);
  const who = await api.get<Whoami>('api/v1/whoami');
  const { paths } = await api.get<Document>('api/v1/openapi.json');
  const operations = new Set(
    Object.values(paths).flatMap((path) => Object.values(path).map(({ operationId }) => operationId)),
  );
  const rights = new Set(who.rights);
  return {
    api,
    name: who.name,
    role: who.role,
    can: (right) => rights.has(right),
    has: (operation) => operations.has(operation),
  };
}

const STORED = 'tierkit-token';

/** The token of this tab, if it was to be kept. */
export function keptToken(): string | null {
  try {
    return sessionStorage.getItem(STORED);
  } catch {
    return null;
  }
}

/** Keeps the token until the tab is closed, or forgets it. */
export function keepToken(token: string | null): void {
  try {
    if (token === null) sessionStorage.removeItem(STORED);
    else sessionStorage.setItem(STORED, token);
  } catch {
    // Without storage the token lasts as long as the page.
  }
}
