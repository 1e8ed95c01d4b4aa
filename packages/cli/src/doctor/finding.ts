/** What a check found, and what to do about it. */
export interface Finding {
  readonly check: string;
  /** `skipped` where Redis could not be asked. */
  readonly status: 'ok' | 'warn' | 'fail' | 'skipped';
  /** What was seen. */
  readonly found: string;
  readonly advice?: string;
  /** Redis is there, and does not let us in. */
  readonly refused?: true;
}

/** What a Redis is for: the cache and limiters; locks, quotas, streams and what is written behind; or both. */
export type Purpose = 'cache' | 'durable' | 'everything';

/** Which of a server's states were reported by INFO, by name. */
export type InfoFields = ReadonlyMap<string, string>;

export function parseInfo(text: string): InfoFields {
  const fields = new Map<string, string>();
  for (const line of text.split(/\r?\n/)) {
    const colon = line.indexOf(':');
    if (colon > 0) fields.set(line.slice(0, colon), line.slice(colon + 1));
  }
  return fields;
}
