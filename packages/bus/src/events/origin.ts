import { randomBytes } from 'node:crypto';

/** Who a bus is in its events, and the ids that it gives. */
export class Origin {
  /** The service and the instance. */
  readonly source: string;
  readonly #instance = randomBytes(9).toString('base64url');
  #ids = 0;

  constructor(service: string) {
    this.source = `${service}/${this.#instance}`;
  }

  /** A new id, for an event. */
  newId(): string {
    return `${this.#instance}-${(this.#ids++).toString(36)}`;
  }

  /** A name that no other consumer has, in this process or another. */
  newConsumer(): string {
    return `${this.source}/${(this.#ids++).toString(36)}`;
  }
}
