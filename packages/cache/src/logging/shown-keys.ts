import { discloseKey, type KeyDisclosure } from '@tierkit/core';

/** How keys, ids, tags and patterns appear in logs. */
export class ShownKeys {
  readonly #disclosure: KeyDisclosure;

  constructor(disclosure: KeyDisclosure) {
    this.#disclosure = disclosure;
  }

  /** What may be shown of a name; undefined for nothing, also when the user's own function throws. */
  shown(name: string): string | undefined {
    try {
      return discloseKey(this.#disclosure, name);
    } catch {
      return undefined;
    }
  }

  /** A key as details of a log line. */
  of(key: string): { readonly key?: string } {
    const shown = this.shown(key);
    return shown === undefined ? {} : { key: shown };
  }
}
