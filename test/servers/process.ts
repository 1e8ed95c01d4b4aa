import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect, createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

/** A free loopback port. It can be taken between asking and binding, so whoever uses it must be ready to try again. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

/** Whether a Redis at this port answers PING, be it with PONG or by asking for a password. */
export async function answersPing(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1');
  socket.setTimeout(1_000, () => socket.destroy(new Error('no answer')));
  try {
    await once(socket, 'connect');
    socket.write('PING\r\n');
    const [data] = (await once(socket, 'data')) as [Buffer];
    return /^(\+PONG|-NOAUTH)/.test(String(data));
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}

/** A redis-server that was started here, with a folder of its own. */
export class RedisProcess {
  readonly port: number;
  readonly folder: string;
  readonly #args: readonly string[];
  #child: ChildProcess | undefined;
  #log = '';

  constructor(port: number, args: readonly string[]) {
    this.port = port;
    this.folder = mkdtempSync(join(tmpdir(), 'tierkit-redis-'));
    this.#args = args;
    process.once('exit', this.#kill);
  }

  readonly #kill = (): void => {
    this.#child?.kill('SIGKILL');
    rmSync(this.folder, { recursive: true, force: true });
  };

  get pid(): number | undefined {
    return this.#child?.pid;
  }

  /** Starts the server, or starts it again on the same port and folder, and waits until it answers. */
  async start(): Promise<void> {
    const binary = process.env['REDIS_SERVER'] ?? 'redis-server';
    const fixed = ['--port', String(this.port), '--bind', '127.0.0.1', '--dir', this.folder, '--daemonize', 'no'];
    const child = spawn(binary, [...this.#args, ...fixed], { stdio: ['ignore', 'pipe', 'pipe'] });
    this.#child = child;
    this.#log = '';
    const collect = (data: Buffer): void => {
      this.#log = (this.#log + String(data)).slice(-4_000);
    };
    child.stdout.on('data', collect);
    child.stderr.on('data', collect);
    const deadline = Date.now() + 10_000;
    while (child.exitCode === null && Date.now() < deadline) {
      if (await answersPing(this.port)) return;
      await sleep(20);
    }
    throw new Error(`redis-server at port ${this.port} did not start:\n${this.#log}`);
  }

  /** Sends a signal: SIGSTOP freezes the server, SIGCONT lets it go on. */
  signal(signal: NodeJS.Signals): void {
    this.#child?.kill(signal);
  }

  /** Ends the server with the given signal and waits until it is gone; its folder stays for a later `start`. */
  async end(signal: 'SIGTERM' | 'SIGKILL' = 'SIGKILL'): Promise<void> {
    const child = this.#child;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    child.kill('SIGCONT');
    child.kill(signal);
    await once(child, 'exit');
  }

  /** Ends the server and removes its folder. */
  async dispose(): Promise<void> {
    await this.end();
    process.off('exit', this.#kill);
    rmSync(this.folder, { recursive: true, force: true });
  }
}
