import { TierkitError } from '@tierkit/core';
import { cliError } from '../errors.ts';

export interface AdminApiOptions {
  /** Where the admin is mounted. */
  readonly url: string;
  readonly token: string;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

/** An answer is text; of more than this nobody could make use. */
const MAX_ANSWER_BYTES = 32 * 1_048_576;

/** The admin API of a running service. The token goes there and nowhere else: redirects are not followed. */
export class AdminApi {
  readonly #base: URL;
  readonly #options: AdminApiOptions;

  /** @throws {TierkitError} `ERR_CLI_USAGE` */
  constructor(options: AdminApiOptions) {
    const { url } = options;
    const parsed = URL.canParse(url) ? new URL(url) : undefined;
    if (
      parsed === undefined ||
      !/^https?:$/.test(parsed.protocol) ||
      parsed.username !== '' ||
      parsed.password !== ''
    ) {
      throw cliError('ERR_CLI_USAGE', '--admin takes the address of an admin API, such as http://localhost:3000/admin');
    }
    // Never shown, and fetch would show it.
    if (!/^[\x21-\x7e]+$/.test(options.token)) {
      throw cliError(
        'ERR_CLI_USAGE',
        'TIERKIT_ADMIN_TOKEN is no token: printable characters without spaces, on one line',
      );
    }
    this.#base = parsed;
    this.#options = options;
  }

  get<T>(path: string, query: Readonly<Record<string, string | number | undefined>> = {}): Promise<T> {
    return this.#call('GET', path, query);
  }

  delete<T>(path: string): Promise<T> {
    return this.#call('DELETE', path, {});
  }

  async #call<T>(
    method: string,
    path: string,
    query: Readonly<Record<string, string | number | undefined>>,
  ): Promise<T> {
    const url = new URL(this.#base);
    url.pathname = url.pathname.replace(/\/*$/, '') + path;
    url.search = '';
    for (const [name, value] of Object.entries(query)) if (value !== undefined) url.searchParams.set(name, `${value}`);
    const { timeoutMs, signal, token } = this.#options;
    const until = AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]);
    const headers = { authorization: `Bearer ${token}`, accept: 'application/json' };
    try {
      const response = await fetch(url, { method, headers, redirect: 'error', signal: until });
      const body = parsed(await textOf(response));
      if (response.ok && body !== undefined) return body as T;
      throw refusal(response.status, body);
    } catch (error) {
      if (error instanceof TierkitError || signal.aborted) throw error;
      const reason = until.aborted ? `no answer within ${timeoutMs} ms` : reasonOf(error);
      throw cliError('ERR_CLI_ADMIN_UNAVAILABLE', `the admin API at ${url.origin} does not answer: ${reason}`);
    }
  }
}

async function textOf(response: Response): Promise<string> {
  const parts: Uint8Array[] = [];
  let size = 0;
  for await (const part of (response.body ?? []) as AsyncIterable<Uint8Array>) {
    size += part.length;
    if (size > MAX_ANSWER_BYTES) throw cliError('ERR_CLI_ADMIN_REFUSED', 'the answer is too large', { status: 500 });
    parts.push(part);
  }
  return Buffer.concat(parts).toString();
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function refusal(status: number, body: unknown): Error {
  const { code, title, detail } = (typeof body === 'object' && body !== null ? body : {}) as Record<string, unknown>;
  const known = [code, title, detail].filter((part) => typeof part === 'string').join(': ');
  const message = known === '' ? `status ${status}, and no answer of an admin API: is the path right?` : known;
  return cliError('ERR_CLI_ADMIN_REFUSED', message, { status });
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return 'it failed';
  const { cause } = error;
  if (!(cause instanceof Error)) return error.message;
  return 'code' in cause && typeof cause.code === 'string' ? cause.code : cause.message;
}
