import { TierkitError, type Key } from '@tierkit/core';
import type { LoaderContext } from './loader-context.ts';
import { load } from './loads.ts';
import { timed } from '../telemetry/cache-timers.ts';
import { countFailed, countLevel2Hit, countStale, hitLevel1 } from '../reads/counted-reads.ts';
import { handOut } from '../reads/found.ts';
import { readLevel1, readSuspect } from '../reads/level1-reads.ts';
import { readStored } from '../reads/reads.ts';
import type { LoadedValue, ScopeState } from '../scope-state.ts';
import type { LoadPlan } from '../tier-policy.ts';

/** What a batch loader found: a list in the order of the keys, or a Map by key; an Error for a key that failed. */
export type BatchAnswers<T> = readonly (T | Error | undefined)[] | ReadonlyMap<Key, T | Error | undefined>;

/** Loads what is missing of several keys, in one call. */
export type LoadBatch<K extends Key, T> = (missing: readonly K[]) => BatchAnswers<T> | Promise<BatchAnswers<T>>;

/** Rights to load that are asked for at once: more could meet their deadline in the queue. */
const CLAIMS = 100;

/**
 * The values of distinct names, loaded where nobody has or loads them; an Error where the load of a name failed.
 *
 * @param keepsAbsence whether an answer of undefined is kept, as `ctx.absent()` is
 */
export async function loadBatch<K extends Key, T>(
  state: ScopeState,
  keys: ReadonlyMap<string, K>,
  loader: LoadBatch<K, T>,
  plan: LoadPlan,
  keepsAbsence: boolean,
): Promise<Map<string, unknown>> {
  const results = new Map<string, Promise<unknown>>();
  const absent = takeHits(state, [...keys.keys()], results);
  const loadAbsent = async (): Promise<Map<string, unknown>> => {
    const { missing, ...known } = await readKnown(state, absent, results);
    let { away } = known;
    const onAway = (): void => void (away = true);
    const call = new BatchCall(state, loader);
    for (let from = 0; from < missing.length; from += CLAIMS) {
      const decisions = missing.slice(from, from + CLAIMS).map(
        (name) =>
          new Promise<void>((decide) => {
            const loadOne = async (context: LoaderContext): Promise<unknown> => {
              decide();
              const answer = await call.ask(keys.get(name) as K);
              return answer === undefined && keepsAbsence ? context.absent() : answer;
            };
            const hints = { away, onAway, onHeld: decide, partOf: 'batch' } as const;
            const result = load(state, name, loadOne, plan, hints).then((value) => handOut(value, false), asError);
            results.set(name, result);
            void result.then(() => decide());
          }),
      );
      await Promise.all(decisions);
    }
    call.begin();
    const values = await Promise.all([...results].map(async ([name, result]) => [name, await result] as const));
    return new Map(values);
  };
  return absent.length === 0 ? loadAbsent() : timed(state, 'get_or_set_many', loadAbsent, { count: absent.length });
}

/** The values of distinct names, each loaded by itself where nobody has or loads it, from what the map has for it. */
export async function loadEach<K>(
  state: ScopeState,
  keys: ReadonlyMap<string, K>,
  loader: (key: K, context: LoaderContext) => unknown,
  plan: LoadPlan,
): Promise<ReadonlyMap<string, Promise<unknown>>> {
  const results = new Map<string, Promise<unknown>>();
  const absent = takeHits(state, [...keys.keys()], results);
  const { missing, away } = await readKnown(state, absent, results);
  for (const name of missing) {
    const hints = { away, partOf: 'several' } as const;
    const loading = load(state, name, (context) => loader(keys.get(name) as K, context), plan, hints);
    results.set(
      name,
      loading.then((value) => handOut(value, false)),
    );
  }
  return results;
}

/** What was found of a name goes to the results. */
function take(results: Map<string, Promise<unknown>>, name: string, found: LoadedValue | undefined): boolean {
  if (found !== undefined) results.set(name, Promise.resolve(handOut(found, false)));
  return found !== undefined;
}

/** What the first level has goes to the results. @returns the other names */
function takeHits(state: ScopeState, names: readonly string[], results: Map<string, Promise<unknown>>): string[] {
  const nowMs = state.engine.clock.monotonic();
  const absent = names.filter((name) => !take(results, name, readLevel1(state, name, nowMs)));
  for (const name of results.keys()) hitLevel1(state, name);
  return absent;
}

/** What the second level has goes to the results. @returns the other names, and whether it could not be asked */
async function readKnown(
  state: ScopeState,
  absent: string[],
  results: Map<string, Promise<unknown>>,
): Promise<{ missing: string[]; away: boolean }> {
  // Names that are still missing after this are counted by their loads.
  const counted = (name: string, count: typeof countStale): void => {
    state.engine.topKeys.read(state.address, name);
    count(state, name);
  };
  // What is loading here already need not be asked for.
  const unknown = absent.filter((name) => !state.flights.has(name));
  if (unknown.length === 0) return { missing: absent, away: false };
  const failed = new Map<string, unknown>();
  try {
    const found = await readStored(state, unknown, failed);
    for (const [index, name] of unknown.entries()) if (take(results, name, found[index])) counted(name, countLevel2Hit);
  } catch (error) {
    for (const name of unknown) failed.set(name, error);
  }
  countFailed(state, failed);
  for (const name of failed.keys()) {
    if (take(results, name, readSuspect(state, name))) counted(name, countStale);
  }
  return { missing: absent.filter((name) => !results.has(name)), away: failed.size > 0 };
}

interface Asked<K, T> {
  readonly key: K;
  readonly resolve: (value: T | undefined) => void;
  readonly reject: (error: Error) => void;
}

/** Gathers keys until `begin`, and calls the loader for all of them; keys that come later are gathered for a turn. */
class BatchCall<K extends Key, T> {
  readonly #state: ScopeState;
  readonly #loader: LoadBatch<K, T>;
  #asked: Asked<K, T>[] = [];
  #begun = false;

  constructor(state: ScopeState, loader: LoadBatch<K, T>) {
    this.#state = state;
    this.#loader = loader;
  }

  ask(key: K): Promise<T | undefined> {
    return new Promise((resolve, reject) => {
      this.#asked.push({ key, resolve, reject });
      if (this.#begun && this.#asked.length === 1) setImmediate(() => void this.#run());
    });
  }

  begin(): void {
    this.#begun = true;
    if (this.#asked.length > 0) void this.#run();
  }

  async #run(): Promise<void> {
    const asked = this.#asked;
    this.#asked = [];
    try {
      const keys = asked.map(({ key }) => key);
      const answers = inOrder(keys, await this.#load(keys));
      for (const [index, { resolve, reject }] of asked.entries()) {
        const answer = answers[index];
        if (answer instanceof Error) reject(answer);
        else resolve(answer);
      }
    } catch (error) {
      for (const { reject } of asked) reject(asError(error));
    }
  }

  async #load(keys: K[]): Promise<BatchAnswers<T>> {
    return timed(this.#state, 'load', async () => this.#loader(keys), { count: keys.length });
  }
}

function inOrder<K extends Key, T>(keys: readonly K[], answers: BatchAnswers<T>): readonly (T | Error | undefined)[] {
  if (answers instanceof Map) return keys.map((key) => answers.get(key) as T | Error | undefined);
  const list: unknown = answers;
  if (Array.isArray(list) && list.length === keys.length) return list as (T | Error | undefined)[];
  const got = Array.isArray(list) ? `a list of ${list.length}` : 'neither';
  const message = `a batch loader of ${keys.length} keys must answer a list of as many values, or a Map: got ${got}`;
  throw new TierkitError('ERR_BATCH_RESULT', message, { details: { expected: keys.length } });
}

function asError(error: unknown): Error {
  if (error instanceof Error) return error;
  return new TierkitError('ERR_BATCH_RESULT', 'a batch loader threw what is no Error', { cause: error });
}
