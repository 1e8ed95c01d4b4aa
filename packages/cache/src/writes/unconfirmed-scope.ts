import { compilePattern } from '@tierkit/core';
import type { ScopeAddress } from '../scope-address.ts';

/** Names of a scope that are remembered one by one; a scope with more is cleared as a whole, which is one step. */
const MAX_NAMES = 10_000;
/** Tags of a scope that are remembered one by one; with more, all that has tags is invalidated. */
const MAX_TAGS = 1_000;
/** Each costs a walk over all keys in Redis. */
const MAX_PATTERNS = 16;

/** What was touched in a scope by changes that were not confirmed, each with the moment of the last of them. */
export class UnconfirmedScope {
  readonly scope: ScopeAddress;
  readonly names = new Map<string, number>();
  readonly patterns = new Map<string, number>();
  readonly tags = new Map<string, number>();
  /** The moment of the last one that touched everything that has tags; 0 for none. */
  allTags = 0;
  /** The moment of the last one that touched everything; 0 for none. */
  all = 0;
  /** While it is being invalidated. */
  invalidating: Promise<void> | undefined;

  constructor(scope: ScopeAddress) {
    this.scope = scope;
  }

  /** What it counts for in all that is remembered. */
  get size(): number {
    return 1 + this.names.size + this.patterns.size + this.tags.size;
  }

  get empty(): boolean {
    return this.all === 0 && this.allTags === 0 && this.size === 1;
  }

  coveredByPattern(name: string): boolean {
    for (const pattern of this.patterns.keys()) if (compilePattern(pattern).matches(name)) return true;
    return false;
  }

  coversTags(tags: readonly string[]): boolean {
    return tags.length > 0 && (this.allTags > 0 || tags.some((tag) => this.tags.has(tag)));
  }

  addNames(names: readonly string[], moment: number): void {
    if (this.all > 0) this.all = moment;
    else for (const name of names) this.names.set(name, moment);
    // The root's entries have nothing else in common: it is cleared only when there is no room at all.
    if (this.scope.scoped && this.names.size > MAX_NAMES) this.addAll(moment);
  }

  addPattern(pattern: string, moment: number): void {
    if (this.all > 0) this.all = moment;
    else this.patterns.set(pattern, moment);
    if (this.patterns.size > MAX_PATTERNS) this.addAll(moment);
  }

  addTags(tags: readonly string[], moment: number): void {
    for (const tag of tags) this.tags.set(tag, moment);
    if (this.allTags === 0 && this.tags.size <= MAX_TAGS) return;
    this.allTags = moment;
    this.tags.clear();
  }

  addAll(moment: number): void {
    this.all = moment;
    this.names.clear();
    this.patterns.clear();
  }

  /** What came up to the moment is made up for. */
  settle(names: readonly string[], sent: number): void {
    for (const name of names) if ((this.names.get(name) ?? Infinity) <= sent) this.names.delete(name);
  }

  settleTags(tags: readonly string[], sent: number): void {
    if (this.allTags <= sent) this.allTags = 0;
    for (const tag of tags) if ((this.tags.get(tag) ?? Infinity) <= sent) this.tags.delete(tag);
  }

  settleAll(sent: number): void {
    if (this.all <= sent) this.all = 0;
    for (const touched of [this.names, this.patterns]) {
      for (const [name, moment] of touched) if (moment <= sent) touched.delete(name);
    }
  }
}
