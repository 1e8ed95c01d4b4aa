import type { Invalidation } from './stores/invalidation-message.ts';
import type { ScopeState } from './scope-state.ts';

/**
 * The scopes that are in use, each once: news of a change must reach whoever keeps something of that scope.
 *
 * A scope is in use while somebody holds it: a caller, an entry of the first level, or a command in flight. The
 * registry itself holds none, so that a service may open a scope per session without end.
 */
export class ScopeRegistry {
  readonly #byGenerationKey = new Map<string, WeakRef<ScopeState>>();
  /** Tiers without scopes last as long as the cache. */
  readonly #roots: ScopeState[] = [];
  readonly #collected = new FinalizationRegistry<string>((generationKey) => {
    if (this.#byGenerationKey.get(generationKey)?.deref() === undefined) this.#byGenerationKey.delete(generationKey);
  });

  get size(): number {
    return this.#byGenerationKey.size;
  }

  obtain(generationKey: string, make: () => ScopeState): ScopeState {
    const known = this.find(generationKey);
    if (known !== undefined) return known;
    const made = make();
    this.#byGenerationKey.set(generationKey, new WeakRef(made));
    this.#collected.register(made, generationKey);
    if (!made.address.scoped) this.#roots.push(made);
    return made;
  }

  find(generationKey: string): ScopeState | undefined {
    return this.#byGenerationKey.get(generationKey)?.deref();
  }

  *states(): Iterable<ScopeState> {
    for (const reference of this.#byGenerationKey.values()) {
      const state = reference.deref();
      if (state !== undefined) yield state;
    }
  }

  wake(generationKey: string, name: string): void {
    this.find(generationKey)?.waiters.wake(name);
  }

  /** @param compile turns an encoded pattern into a test of names; it may throw for one that is none */
  apply(
    news: Exclude<Invalidation, { kind: 'tags' | 'behind' }>,
    compile: (pattern: string) => { matches(name: string): boolean },
  ): void {
    switch (news.kind) {
      case 'keys':
        for (const key of news.keys) this.#withOwner(key, (state, name) => state.invalidate(name));
        break;
      case 'scope':
        this.find(news.generationKey)?.invalidateAll();
        break;
      case 'tier':
        for (const state of this.states()) {
          if (state.address.generationKey.startsWith(news.prefix)) state.invalidateAll();
        }
        break;
      case 'pattern': {
        const state = this.find(news.generationKey);
        if (state !== undefined) applyPattern(state, news.pattern, compile);
        break;
      }
      case 'loaded':
        this.#withOwner(news.key, (state, name) => state.waiters.wake(name));
        break;
      default:
        news satisfies never;
    }
  }

  #withOwner(key: string, act: (state: ScopeState, name: string) => void): void {
    const end = key.indexOf('}');
    if (end !== -1) {
      const state = this.find(key.slice(0, end + 1));
      if (state !== undefined && key[end + 1] === ':') act(state, key.slice(end + 2));
      return;
    }
    for (const state of this.#roots) {
      const { prefix } = state.address;
      if (key.startsWith(prefix)) act(state, key.slice(prefix.length));
    }
  }
}

function applyPattern(
  state: ScopeState,
  pattern: string,
  compile: (pattern: string) => { matches(name: string): boolean },
): void {
  try {
    const compiled = compile(pattern);
    state.invalidateMatching((name) => compiled.matches(name));
  } catch {
    state.invalidateAll();
  }
}
