import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { sleep } from '../support/sleep.ts';
import { GuardedFolder } from './guarded-folder.ts';
import { answersPing } from './ports.ts';

export interface RedisProcessOptions {
  /** Lines of a configuration file, which the server may rewrite. Without them there is no such file. */
  readonly config?: readonly string[];
}

/** A redis-server that was started here, with a folder of its own. It never outlives this process. */
export class RedisProcess {
  readonly host = '127.0.0.1';
  readonly port: number;
  readonly #args: readonly string[];
  readonly #folder = new GuardedFolder();
  #child: ChildProcess | undefined;
  #frozen = false;
  #log = '';

  constructor(port: number, args: readonly string[], options: RedisProcessOptions = {}) {
    this.port = port;
    const file = join(this.folder, 'redis.conf');
    if (options.config !== undefined) writeFileSync(file, `${options.config.join('\n')}\n`);
    this.#args = options.config === undefined ? args : [file, ...args];
  }

  get folder(): string {
    return this.#folder.path;
  }

  get pid(): number | undefined {
    return this.#child?.pid;
  }

  get running(): boolean {
    return this.#child !== undefined && this.#child.exitCode === null && this.#child.signalCode === null;
  }

  get frozen(): boolean {
    return this.#frozen;
  }

  /** The end of what the server has logged since its last start. */
  get log(): string {
    return this.#log;
  }

  /** Starts the server, or starts it again on the same port and folder, and waits until it answers. */
  async start(): Promise<void> {
    const binary = process.env['REDIS_SERVER'] ?? 'redis-server';
    const fixed = ['--port', String(this.port), '--bind', this.host, '--dir', this.folder, '--daemonize', 'no'];
    const child = spawn(binary, [...this.#args, ...fixed], { stdio: ['ignore', 'pipe', 'pipe'] });
    child.once('error', (error) => collect(error));
    this.#folder.watch(child);
    this.#child = child;
    this.#frozen = false;
    this.#log = '';
    const collect = (data: unknown): void => {
      this.#log = (this.#log + String(data)).slice(-4_000);
    };
    child.stdout.on('data', collect);
    child.stderr.on('data', collect);
    const deadline = Date.now() + 10_000;
    while (child.pid !== undefined && this.running && Date.now() < deadline) {
      if ((await answersPing(this.port)) && this.running) return;
      await sleep(20);
    }
    throw new Error(`redis-server at port ${this.port} did not start:\n${this.#log}`);
  }

  /** Sends a signal: SIGSTOP freezes the server, SIGCONT lets it go on. */
  signal(signal: NodeJS.Signals): void {
    if (signal === 'SIGSTOP') this.#frozen = true;
    if (signal === 'SIGCONT') this.#frozen = false;
    this.#child?.kill(signal);
  }

  /**
   * Ends the server and waits until it is gone; its folder stays for a later `start`. One that does not heed SIGTERM
   * within 5 s is killed.
   */
  async end(signal: 'SIGTERM' | 'SIGKILL' = 'SIGKILL'): Promise<void> {
    const child = this.#child;
    if (child === undefined || !this.running) return;
    const gone = once(child, 'exit');
    child.kill('SIGCONT');
    child.kill(signal);
    const timer = setTimeout(() => child.kill('SIGKILL'), 5_000);
    await gone;
    clearTimeout(timer);
  }

  /** Ends the server and removes its folder; may be called again. */
  async stop(): Promise<void> {
    await this.end();
    await this.#folder.remove();
  }
}
