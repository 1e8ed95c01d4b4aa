import { compilePattern, encodeKey, type Key } from '@tierkit/core';

/** Whether an entry must be found. Unsure is one whose end lies within the call, as far as one can tell. */
type Presence = 'there' | 'gone' | 'unsure';

interface Held {
  readonly value: unknown;
  readonly tags: readonly string[];
  readonly endsFromMs: number;
  readonly endsUntilMs: number;
}

/** When a call began and ended. */
export interface Span {
  readonly startMs: number;
  readonly endMs: number;
}

/** What one scope should hold: a Map and a clock. */
export class ScopeModel {
  readonly #held = new Map<string, Held>();
  readonly #slopMs: number;

  /** @param slopMs how much earlier or later than it should an entry may end: a clock's granularity */
  constructor(slopMs: number) {
    this.#slopMs = slopMs;
  }

  get(key: Key): Held | undefined {
    return this.#held.get(encodeKey(key));
  }

  set(key: Key, value: unknown, ttlMs: number, tags: readonly string[], span: Span): void {
    const endsUntilMs = span.endMs + ttlMs + this.#slopMs;
    const endsFromMs = span.startMs + ttlMs - this.#slopMs;
    this.#held.set(encodeKey(key), { value, tags, endsFromMs, endsUntilMs });
  }

  delete(key: Key): void {
    this.#held.delete(encodeKey(key));
  }

  clear(): void {
    this.#held.clear();
  }

  deleteMatching(pattern: string): void {
    for (const name of this.matching(pattern)) this.#held.delete(name);
  }

  invalidateTags(tags: readonly string[]): void {
    for (const [name, held] of this.#held) if (held.tags.some((tag) => tags.includes(tag))) this.#held.delete(name);
  }

  presence(key: Key, span: Span): Presence {
    return presenceOf(this.get(key), span);
  }

  /** The names that match: those that must be there, and with `unsure` those that may be. */
  matching(pattern: string, span?: Span, unsure = false): Set<string> {
    const compiled = compilePattern(pattern);
    const names = new Set<string>();
    for (const [name, held] of this.#held) {
      const presence = span === undefined ? 'there' : presenceOf(held, span);
      if (compiled.matches(name) && (presence === 'there' || (unsure && presence === 'unsure'))) names.add(name);
    }
    return names;
  }
}

function presenceOf(held: Held | undefined, { startMs, endMs }: Span): Presence {
  if (held === undefined || startMs >= held.endsUntilMs) return 'gone';
  return endMs < held.endsFromMs ? 'there' : 'unsure';
}
