/**
 * The one exception that tierkit throws. Callers match on `code`, a literal that each package's README lists; the
 * message is for people and may change.
 */
export class TierkitError<Code extends string = string> extends Error {
  override readonly name = 'TierkitError';
  readonly code: Code;
  /** Facts about the failure that are safe to log: never a password, never a cached value. */
  readonly details: Readonly<Record<string, unknown>>;

  constructor(code: Code, message: string, options: TierkitErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.details = options.details ?? {};
  }
}

export interface TierkitErrorOptions {
  readonly cause?: unknown;
  readonly details?: Readonly<Record<string, unknown>>;
}
