/** What the API answered when it did not do what it was asked. */
export class ApiError extends Error {
  readonly status: number;
  readonly code: string;

  constructor(status: number, code: string, message: string) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

export type Query = Readonly<Record<string, string | number | boolean | undefined>>;

/** Calls the admin API beside this page with a token, which is sent in a header and nowhere else. */
export class Api {
  readonly #token: string;
  readonly #base = new URL('.', location.href);
  readonly #onRefused: () => void;

  /** @param onRefused called when the token is no longer known */
  constructor(token: string, onRefused: () => void) {
    this.#token = token;
    this.#onRefused = onRefused;
  }

  async get<T>(path: string, query: Query = {}, signal?: AbortSignal): Promise<T> {
    return this.#json('GET', path, query, signal);
  }

  async delete<T>(path: string, query: Query = {}): Promise<T> {
    return this.#json('DELETE', path, query);
  }

  async post<T>(path: string, query: Query = {}, body?: unknown): Promise<T> {
    return this.#json('POST', path, query, undefined, body);
  }

  /** A stream of server-sent events. `EventSource` cannot send a token, so it is read with fetch. */
  async stream(path: string, signal: AbortSignal): Promise<ReadableStream<Uint8Array>> {
    const { body } = await this.#fetch('GET', path, {}, signal);
    if (body === null) throw new ApiError(502, 'ERR_EMPTY', 'the stream is empty');
    return body;
  }

  async #json<T>(method: string, path: string, query: Query, signal?: AbortSignal, body?: unknown): Promise<T> {
    const response = await this.#fetch(method, path, query, signal, body);
    return (await response.json()) as T;
  }

  async #fetch(method: string, path: string, query: Query, signal?: AbortSignal, body?: unknown): Promise<Response> {
    const url = new URL(path, this.#base);
    for (const [name, value] of Object.entries(query)) {
      if (value !== undefined && value !== '') url.searchParams.set(name, String(value));
    }
    const headers: Record<string, string> = { authorization: `Bearer ${this.#token}` };
    if (body !== undefined) headers['content-type'] = 'application/json';
    const response = await fetch(url, {
      method,
      headers,
      cache: 'no-store',
      credentials: 'omit',
      ...(signal === undefined ? {} : { signal }),
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    if (response.ok) return response;
    if (response.status === 401) this.#onRefused();
    throw await errorOf(response);
  }
}

async function errorOf(response: Response): Promise<ApiError> {
  const problem = (await response.json().catch(() => ({}))) as { code?: string; title?: string; detail?: string };
  const { code = 'ERR_UNKNOWN', title = `status ${response.status}`, detail } = problem;
  return new ApiError(response.status, code, detail === undefined ? title : `${title}: ${detail}`);
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
