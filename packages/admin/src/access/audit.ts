import type { Logger } from '@tierkit/core';

/** One call that changed something, read a value, or was refused. It holds no value and no token. */
export interface AuditEvent {
  /** Milliseconds since 1970, by this process's clock. */
  readonly at: number;
  /** The name of the token; absent for a call without a known one. */
  readonly actor?: string;
  /** The operation, as the OpenAPI document names it; absent for a call that reached none. */
  readonly operation?: string;
  readonly method: string;
  readonly path: string;
  /** The parameters of the call. */
  readonly parameters: Readonly<Record<string, unknown>>;
  /** Of the reply. */
  readonly status: number;
  /** What was changed, if the operation says. */
  readonly outcome?: Readonly<Record<string, unknown>>;
}

/** Events that are kept for `GET /api/v1/audit`. */
const KEPT = 500;

/** Tells of audit events, and remembers the last ones. */
export class AuditLog {
  readonly #logger: Logger;
  readonly #onAudit: ((event: AuditEvent) => unknown) | undefined;
  #events: AuditEvent[] = [];

  constructor(logger: Logger, onAudit: ((event: AuditEvent) => unknown) | undefined) {
    this.#logger = logger;
    this.#onAudit = onAudit;
  }

  /** Never throws, and waits for nobody: what the listener does with the event cannot undo the call. */
  add(event: AuditEvent): void {
    this.#events.push(event);
    if (this.#events.length > 2 * KEPT) this.#events = this.#events.slice(-KEPT);
    this.#logger.info({ ...event }, 'admin');
    const failed = (error: unknown): void =>
      this.#logger.warn({ error: String(error) }, 'the listener to audit events failed');
    try {
      Promise.resolve(this.#onAudit?.(event)).catch(failed);
    } catch (error) {
      failed(error);
    }
  }

  /** The latest events, those first. */
  last(limit: number): AuditEvent[] {
    return this.#events.slice(-Math.min(limit, KEPT)).toReversed();
  }
}
