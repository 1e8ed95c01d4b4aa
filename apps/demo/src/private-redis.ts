import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect, createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const BINARY = process.env['REDIS_SERVER'] ?? 'redis-server';
const START_DEADLINE_MS = 10_000;

/** Whether a redis-server can be started here. */
export function hasRedisServer(): boolean {
  return spawnSync(BINARY, ['--version'], { stdio: 'ignore', timeout: 10_000 }).status === 0;
}

/** A redis-server of the demo's own on a free loopback port, so that it can be stopped. Its data survive a stop. */
export class PrivateRedis implements AsyncDisposable {
  readonly port: number;
  readonly #folder: string;
  #child: ChildProcess | undefined;

  private constructor(port: number) {
    this.port = port;
    this.#folder = mkdtempSync(join(tmpdir(), 'tierkit-demo-'));
    process.once('exit', this.#leaveNothing);
  }

  static async start(): Promise<PrivateRedis> {
    for (let attempt = 1; ; attempt++) {
      const redis = new PrivateRedis(await freePort());
      try {
        await redis.start();
        return redis;
      } catch (error) {
        // The port can be taken between asking for it and binding it.
        await redis[Symbol.asyncDispose]();
        if (attempt === 3) throw error;
      }
    }
  }

  get url(): string {
    return `redis://127.0.0.1:${this.port}`;
  }

  get pid(): number | undefined {
    return this.#child?.pid;
  }

  /** Starts the server, or starts it again with what it had written, and waits until it answers. */
  async start(): Promise<void> {
    const place = ['--port', String(this.port), '--bind', '127.0.0.1', '--dir', this.#folder, '--daemonize', 'no'];
    // A group of its own: Ctrl-C must not end the server before those who use it.
    const child = spawn(BINARY, [...place, '--save', '', '--appendonly', 'yes'], { stdio: 'ignore', detached: true });
    this.#child = child;
    await once(child, 'spawn');
    const deadline = Date.now() + START_DEADLINE_MS;
    while (isRunning(child) && Date.now() < deadline) {
      if (await answersPing(this.port)) return;
      await sleep(10);
    }
    throw new Error(`redis-server did not start at port ${this.port}`);
  }

  /** Pulls the plug: the server gets no chance to say goodbye. */
  async kill(): Promise<void> {
    const child = this.#child;
    if (child === undefined || !isRunning(child)) return;
    child.kill('SIGKILL');
    await once(child, 'exit');
  }

  readonly #leaveNothing = (): void => {
    this.#child?.kill('SIGKILL');
    rmSync(this.#folder, { recursive: true, force: true });
  };

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
    process.off('exit', this.#leaveNothing);
    this.#leaveNothing();
  }
}

function isRunning(child: ChildProcess): boolean {
  return child.exitCode === null && child.signalCode === null;
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

async function answersPing(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1');
  socket.setTimeout(1_000, () => socket.destroy(new Error('no answer')));
  try {
    await once(socket, 'connect');
    socket.write('PING\r\n');
    const [data] = (await once(socket, 'data')) as [Buffer];
    return String(data).startsWith('+PONG');
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}
