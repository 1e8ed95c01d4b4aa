import { randomBytes } from 'node:crypto';
import { InstanceProcess } from '../instance/instance-process.ts';
import type { SourceFolder } from '../source-folder.ts';
import { EditedCopies } from './edited-copies.ts';
import type { Printer } from './printer.ts';
import type { RedisSource } from './redis-source.ts';
import { removeKeys } from './remove-keys.ts';
import { Verdicts } from './verdicts.ts';

const ORDINARY_BYTES = 32 * 1024;

/** What the acts play on: one or two instances, the files, and the Redis behind them. */
export class Stage implements AsyncDisposable {
  readonly a: InstanceProcess = new InstanceProcess('A');
  /** Missing in memory: a second process would share nothing with the first. */
  readonly b: InstanceProcess | undefined;
  readonly redis: RedisSource;
  readonly sources: SourceFolder;
  readonly paths: readonly string[];
  /** Files of ordinary size, so that what is measured with an edit is the cache and not the parser. */
  readonly editable: readonly string[];
  readonly edits: EditedCopies;
  readonly verdicts: Verdicts = new Verdicts();
  readonly printer: Printer;
  readonly #prefix: string = `tierkit-demo-${randomBytes(6).toString('hex')}:`;

  constructor(sources: SourceFolder, redis: RedisSource, printer: Printer) {
    this.sources = sources;
    this.paths = sources.files.map(({ path }) => path);
    const bySize = [...sources.files].sort((a, b) => a.bytes - b.bytes);
    const ordinary = bySize.filter(({ bytes }) => bytes <= ORDINARY_BYTES);
    this.editable = (ordinary.length === 0 ? bySize : ordinary).map(({ path }) => path);
    this.redis = redis;
    this.printer = printer;
    this.edits = new EditedCopies(sources.root);
    this.b = redis.kind === 'memory' ? undefined : new InstanceProcess('B');
  }

  get instances(): readonly InstanceProcess[] {
    return this.b === undefined ? [this.a] : [this.a, this.b];
  }

  async start(): Promise<void> {
    await this.guard();
    const options = { root: this.sources.root, edits: this.edits.folder, redis: this.redis.url, prefix: this.#prefix };
    await Promise.all(
      this.instances.map((instance) =>
        instance.call('start', { ...options, name: instance.name, hasTable: instance === this.a }),
      ),
    );
  }

  /** Has instance A end the private Redis, should this process be killed. */
  async guard(): Promise<void> {
    if (this.redis.kind !== 'private' || this.redis.server.pid === undefined) return;
    await this.a.call('guard', { pid: this.redis.server.pid });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.instances.map((instance) => instance[Symbol.asyncDispose]()));
    if (this.redis.kind === 'given') await removeKeys(this.redis.url, this.#prefix);
    if (this.redis.kind === 'private') await this.redis.server[Symbol.asyncDispose]();
    await this.edits[Symbol.asyncDispose]();
  }
}
