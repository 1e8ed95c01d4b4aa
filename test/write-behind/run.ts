import { createTiers, type WriteBehindItem } from '@tierkit/cache';
import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { seededRandom } from '../coherence/random.ts';
import { startRedis, until, type StandaloneRedis } from '../servers/index.ts';
import { bundle } from '../support/bundle.ts';
import { PostgresSink } from './postgres-sink.ts';
import { QUEUE, TIMES, type FromWriter, type Row, type ToWriter, type WriterSettings } from './protocol.ts';

export interface WriteBehindRun {
  readonly seed: number;
  readonly processes: number;
  /** Acknowledged writes of all processes together. */
  readonly writes: number;
  /** Processes that are killed on the way, and how often Redis is. */
  readonly kills: number;
  readonly redisKills: number;
  readonly onEvent?: (line: string) => void;
}

export interface WriteBehindReport {
  readonly acknowledged: number;
  readonly keys: number;
  readonly flushes: number;
  readonly kills: number;
  /** Keys whose last acknowledged write is not in the table, nor a later one. */
  readonly lost: readonly string[];
  /** Keys that have another value in the table than was acknowledged under that version. */
  readonly different: readonly string[];
  readonly backwards: number;
  readonly deadLetters: number;
  readonly takenAgain: number;
}

/** Writes from several processes, which are killed, as is Redis, and compares the table with what was acknowledged. */
export async function runWriteBehind(run: WriteBehindRun): Promise<WriteBehindReport> {
  const redis = await startRedis(['--appendonly', 'yes', '--appendfsync', 'everysec']);
  const sink = await PostgresSink.open();
  const writer = await bundle(fileURLToPath(new URL('writer.ts', import.meta.url)));
  const crowd = new Crowd(run, redis, sink, writer.file);
  try {
    await crowd.finish();
    return await crowd.report();
  } finally {
    await crowd.stop();
    await sink.close();
    await redis.stop();
    writer.remove();
  }
}

class Crowd {
  readonly #run: WriteBehindRun;
  readonly #redis: StandaloneRedis;
  readonly #sink: PostgresSink;
  readonly #writer: string;
  readonly #random: () => number;
  readonly #children = new Map<string, ChildProcess>();
  readonly #left = new Map<string, number>();
  /** Of each key the acknowledged write with the highest version, and all of them by version. */
  readonly #last = new Map<string, Row>();
  readonly #values = new Map<string, Map<number, string | null>>();
  readonly #prefix: string;
  #acknowledged = 0;
  #flushes = 0;
  #kills = 0;

  /** @param writer The file of `writer.ts`, bundled. */
  constructor(run: WriteBehindRun, redis: StandaloneRedis, sink: PostgresSink, writer: string) {
    this.#run = run;
    this.#redis = redis;
    this.#sink = sink;
    this.#writer = writer;
    this.#random = seededRandom(run.seed);
    this.#prefix = `behind-${run.seed}:`;
    for (let n = 0; n < run.processes; n++) this.#left.set(`w${n}`, Math.ceil(run.writes / run.processes));
  }

  /** Kills at random points of the work, and starts what was killed again, until all is acknowledged. */
  async finish(): Promise<void> {
    const { writes, kills, redisKills, onEvent } = this.#run;
    for (const name of this.#left.keys()) this.#start(name);
    const points = Array.from({ length: kills + redisKills }, (_, n) => ({
      at: (0.05 + 0.9 * this.#random()) * writes,
      redis: n < redisKills,
    })).sort((a, b) => a.at - b.at);
    for (const point of points) {
      await until('the work goes on', () => this.#acknowledged >= point.at, 120_000);
      this.#kills++;
      if (point.redis) {
        onEvent?.(`Redis is killed after ${this.#acknowledged} writes`);
        await this.#redis.process.end('SIGKILL');
        await this.#redis.process.start();
      } else await this.#killOne();
    }
    await until('all is acknowledged', () => [...this.#left.values()].every((left) => left <= 0), 120_000);
  }

  /** When nothing is pending any more. */
  async report(): Promise<WriteBehindReport> {
    const tiers = createTiers({ redis: this.#redis.url, prefix: this.#prefix, l1: false });
    await tiers.ready('15s');
    const rowsOf = (batch: readonly WriteBehindItem<string>[]): Row[] =>
      batch.map(({ scope = '', key, value, version }) => ({
        id: `${scope}/${String(key)}`,
        version,
        value: value ?? null,
      }));
    const queue = tiers.writeBehind<string>(QUEUE, { ...TIMES, flush: (batch) => this.#sink.take(rowsOf(batch)) });
    try {
      await until('nothing is pending', () => queue.drain('30s'), 40_000);
      const { deadLetters } = await queue.status();
      const rows = await this.#sink.rows();
      const lost: string[] = [];
      const different: string[] = [];
      for (const [id, { version }] of this.#last) {
        const row = rows.get(id);
        if (row === undefined || row.version < version) lost.push(id);
        // What took effect without being acknowledged may be later than the last that was.
        const told = row && this.#values.get(id)?.get(row.version);
        if (told !== undefined && told !== row?.value) different.push(id);
      }
      const figures = { acknowledged: this.#acknowledged, keys: this.#last.size, flushes: this.#flushes };
      const backwards = await this.#sink.backwards();
      return { ...figures, kills: this.#kills, lost, different, backwards, deadLetters, takenAgain: this.#sink.older };
    } finally {
      await tiers.close();
    }
  }

  async stop(): Promise<void> {
    for (const child of this.#children.values()) await end(child);
  }

  #start(name: string): void {
    const settings: WriterSettings = {
      ...{ redis: this.#redis.url, prefix: this.#prefix, name: `${name}-${this.#kills}` },
      ...{ seed: Math.floor(this.#random() * 1e9), writes: this.#left.get(name) ?? 0 },
    };
    const child = fork(this.#writer, [JSON.stringify(settings)], { execArgv: [], stdio: 'inherit' });
    this.#children.set(name, child);
    child.on('message', (message: FromWriter) => {
      if (message.kind === 'acknowledged') this.#acknowledge(name, message.rows);
      if (message.kind === 'flush') void this.#flush(child, message.call, message.rows);
    });
  }

  #acknowledge(name: string, rows: readonly Row[]): void {
    this.#left.set(name, (this.#left.get(name) ?? 0) - rows.length);
    this.#acknowledged += rows.length;
    for (const row of rows) {
      if ((this.#last.get(row.id)?.version ?? 0) < row.version) this.#last.set(row.id, row);
      let values = this.#values.get(row.id);
      if (values === undefined) this.#values.set(row.id, (values = new Map<number, string | null>()));
      values.set(row.version, row.value);
    }
  }

  /** The process may be dead when the rows are in the table, and one flush in ten fails before or after they are. */
  async #flush(child: ChildProcess, call: number, rows: readonly Row[]): Promise<void> {
    this.#flushes++;
    const luck = this.#random();
    if (luck > 0.05) await this.#sink.take(rows);
    if (!child.connected) return;
    child.send({ kind: 'flushed', call, failed: luck <= 0.05 || luck > 0.95 } satisfies ToWriter, () => {});
  }

  async #killOne(): Promise<void> {
    const names = [...this.#left.keys()];
    const name = names[Math.floor(this.#random() * names.length)] ?? '';
    const child = this.#children.get(name);
    this.#run.onEvent?.(`${name} is killed after ${this.#acknowledged} writes`);
    if (child !== undefined) await end(child);
    this.#start(name);
  }
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  child.kill('SIGKILL');
  await exited;
}
