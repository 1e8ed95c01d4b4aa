import { createTiers, type Scope, type Tiers } from '@tierkit/cache';
import { Level1 } from '../../packages/cache/src/level1/level1.ts';
import { Level1Tags } from '../../packages/cache/src/level1/level1-tags.ts';
import { RedisStore } from '../../packages/cache/src/stores/redis-store.ts';
import { ScopeLevel1 } from '../../packages/cache/src/level1/scope-level1.ts';
import { sleep } from '../support/sleep.ts';
import type { Change, Observation } from './history.ts';
import {
  CALM_MS,
  NAMES,
  SCOPES,
  TAGS,
  tagsOf,
  type FromWorker,
  type Sabotage,
  type ToWorker,
  type WorkerSettings,
} from './protocol.ts';
import { seededRandom } from './random.ts';

const CALLERS = 12;

/** One process of a coherence run: random operations through the public API, and a record of what they did and saw. */
class Worker {
  readonly #settings: WorkerSettings;
  readonly #random: () => number;
  readonly #tiers: Tiers;
  #changes: Change[] = [];
  #reads: Observation[] = [];
  #operations = 0;
  #values = 0;

  constructor(settings: WorkerSettings) {
    this.#settings = settings;
    this.#random = seededRandom(settings.seed);
    if (settings.sabotage !== undefined) disable(settings.sabotage);
    delayReplies(this.#random);
    const { redis, prefix, feedTimeoutMs } = settings;
    this.#tiers = createTiers({
      redis,
      prefix,
      feedTimeout: feedTimeoutMs,
      reclaim: '200ms',
      load: { lease: '500ms' },
    });
  }

  ready(): Promise<void> {
    return this.#tiers.ready('15s');
  }

  async work(ms: number): Promise<FromWorker> {
    const untilMs = nowMs() + ms;
    this.#changes = [];
    this.#reads = [];
    this.#operations = 0;
    await Promise.all(
      Array.from({ length: CALLERS }, async () => {
        while (nowMs() < untilMs) {
          await this.#operate();
          this.#operations++;
          if (nowMs() > untilMs - CALM_MS) await sleep(this.#random() * 40);
          else if (this.#random() < 0.3) await sleep(this.#random() * 3);
        }
      }),
    );
    return { kind: 'worked', changes: this.#changes, reads: this.#reads, operations: this.#operations };
  }

  async rest(): Promise<FromWorker> {
    const giveUpMs = performance.now() + 20_000;
    const coherent = (): boolean => this.#tiers.stats().coherent && this.#tiers.stats().unconfirmedScopes === 0;
    while (!coherent() && performance.now() < giveUpMs) await sleep(20);
    await sleep(200);
    const served: Record<string, string> = {};
    for (const scope of SCOPES) {
      for (const name of NAMES) {
        const value = this.#scope(scope).peek<string>(name);
        if (value !== undefined) served[`${scope} ${name}`] = value;
      }
    }
    const state = coherent() ? 'coherent' : JSON.stringify(this.#tiers.stats());
    return { kind: 'rested', served, state };
  }

  stop(): Promise<void> {
    return this.#tiers.close();
  }

  async #operate(): Promise<void> {
    const scope = this.#pick(SCOPES);
    const name = this.#pick(NAMES);
    const dice = this.#random();
    if (dice < 0.62) await this.#read(scope, name, (cache) => cache.get<string>(name));
    else if (dice < 0.7) await this.#load(scope, name);
    else if (dice < 0.86) await this.#set(scope, name);
    else if (dice < 0.92) await this.#remove(scope, [name], (cache) => cache.delete(name));
    else if (dice < 0.96) await this.#readMany(scope);
    else if (dice < 0.97) await this.#setMany(scope);
    else if (dice < 0.978) await this.#invalidateTag([scope], (tags) => this.#scope(scope).invalidateTags(tags));
    else if (dice < 0.983) await this.#invalidateTag(SCOPES, (tags) => this.#tiers.invalidateTags(tags));
    else if (dice < 0.991) await this.#remove(scope, NAMES, (cache) => cache.clear());
    else {
      const matching = NAMES.filter((each) => each.startsWith('a'));
      await this.#remove(scope, matching, async (cache) => (await cache.deleteByPattern('a:*')).confirmed);
    }
  }

  async #read(scope: string, name: string, read: (cache: Scope) => Promise<string | undefined>): Promise<void> {
    const startMs = nowMs();
    const value = await read(this.#scope(scope));
    if (value !== undefined) this.#reads.push({ key: `${scope} ${name}`, value, startMs, by: this.#settings.name });
  }

  async #readMany(scope: string): Promise<void> {
    const startMs = nowMs();
    const values = await this.#scope(scope).getMany<string>(NAMES);
    for (const [index, value] of values.entries()) {
      const key = `${scope} ${NAMES[index]}`;
      if (value !== undefined) this.#reads.push({ key, value, startMs, by: this.#settings.name });
    }
  }

  async #load(scope: string, name: string): Promise<void> {
    const load = async (): Promise<string> => {
      const value = this.#value();
      this.#changes.push({ key: `${scope} ${name}`, value, startMs: nowMs(), endMs: Infinity, loaded: true });
      await sleep(this.#random() * 8);
      return value;
    };
    await this.#read(scope, name, (cache) => cache.getOrSet(name, load, { tags: tagsOf(name) }));
  }

  async #set(scope: string, name: string): Promise<void> {
    const value = this.#value();
    const startMs = nowMs();
    const confirmed = await this.#scope(scope).set(name, value, { tags: tagsOf(name) });
    this.#changes.push({ key: `${scope} ${name}`, value, startMs, endMs: confirmed ? nowMs() : Infinity });
  }

  async #setMany(scope: string): Promise<void> {
    const tags = tagsOf(this.#pick(NAMES));
    const names = NAMES.filter((name) => tagsOf(name)[0] === tags[0]);
    const entries = names.map((name) => [name, this.#value()] as const);
    const startMs = nowMs();
    const confirmed = await this.#scope(scope).setMany(entries, { tags });
    const endMs = confirmed ? nowMs() : Infinity;
    for (const [name, value] of entries) this.#changes.push({ key: `${scope} ${name}`, value, startMs, endMs });
  }

  async #remove(scope: string, names: readonly string[], remove: (cache: Scope) => Promise<boolean>): Promise<void> {
    const startMs = nowMs();
    const confirmed = await remove(this.#scope(scope));
    const endMs = confirmed ? nowMs() : Infinity;
    for (const name of names) this.#changes.push({ key: `${scope} ${name}`, value: undefined, startMs, endMs });
  }

  async #invalidateTag(
    scopes: readonly string[],
    invalidate: (tags: readonly string[]) => Promise<boolean>,
  ): Promise<void> {
    const tag = this.#pick(TAGS);
    const startMs = nowMs();
    const endMs = (await invalidate([tag])) ? nowMs() : Infinity;
    for (const scope of scopes) {
      for (const name of NAMES.filter((each) => tagsOf(each).includes(tag))) {
        this.#changes.push({ key: `${scope} ${name}`, value: undefined, startMs, endMs });
      }
    }
  }

  #value(): string {
    return `${this.#settings.name}-${process.pid}-${this.#values++}`;
  }

  #scope(scope: string): Scope {
    const [tier = '', id = ''] = scope.split(' ');
    if (tier === 'session') return this.#tiers.session(id);
    return tier === 'project' ? this.#tiers.project(id) : this.#tiers.global;
  }

  #pick<T>(from: readonly T[]): T {
    return from[Math.floor(this.#random() * from.length)] as T;
  }
}

/** On Linux this clock is the same for all processes. */
function nowMs(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}

/** Lets replies reach the cache late, as a busy event loop does, so that messages overtake them. */
function delayReplies(random: () => number): void {
  const { read, readMany } = RedisStore.prototype;
  RedisStore.prototype.read = async function (...args) {
    const reply = await read.apply(this, args);
    if (random() < 0.5) await sleep(random() * 20);
    return reply;
  };
  RedisStore.prototype.readMany = async function (...args) {
    const reply = await readMany.apply(this, args);
    if (random() < 0.5) await sleep(random() * 20);
    return reply;
  };
}

function disable(mechanism: Sabotage): void {
  if (mechanism === 'flush') {
    Level1.prototype.suspect = () => {};
    Level1.prototype.arm = function () {
      this.armed = true;
    };
    return;
  }
  if (mechanism === 'tags') {
    Object.defineProperty(Level1Tags.prototype, 'current', { get: () => true });
    return;
  }
  const { fill } = ScopeLevel1.prototype;
  ScopeLevel1.prototype.fill = function (token, entry, now) {
    return fill.call(this, { ...token, valid: true, stamp: this.stamp, epoch: this.level?.epoch ?? 0 }, entry, now);
  };
}

let worker: Worker | undefined;

async function answer(message: ToWorker): Promise<FromWorker | undefined> {
  if (message.kind === 'start') {
    worker = new Worker(message.settings);
    await worker.ready();
    return { kind: 'ready' };
  }
  if (message.kind === 'work') return worker?.work(message.ms);
  if (message.kind === 'rest') return worker?.rest();
  await worker?.stop();
  process.disconnect();
  return undefined;
}

process.on('message', (message: ToWorker) => {
  void answer(message).then((reply) => reply && process.send?.(reply));
});
