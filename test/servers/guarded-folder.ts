import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

// Reads the pid of the process to end, one a line; the end of its input means that whoever held the pipe is gone.
const script = `trap '' INT TERM HUP; while read -r line; do pid=$line; done
[ -z "$pid" ] || kill -9 "$pid" 2>&-; rm -rf "$1"`;

/**
 * A temporary folder with one process that works in it, both of which vanish with this process however it ends: a
 * shell waits on a pipe that the system closes even after SIGKILL.
 */
export class GuardedFolder {
  readonly path: string = mkdtempSync(join(tmpdir(), 'tierkit-redis-'));
  readonly #guard: ChildProcess;

  constructor() {
    this.#guard = spawn('sh', ['-c', script, 'sh', this.path], { stdio: ['pipe', 'ignore', 'ignore'], cwd: '/' });
    this.#guard.stdin?.on('error', () => {});
    this.#guard.unref();
    (this.#guard.stdin as unknown as { unref(): void } | null)?.unref();
  }

  /** Names the process that must not outlive this one. Once it has ended by itself, its pid may be someone else's. */
  watch(child: ChildProcess): void {
    this.#guard.stdin?.write(`${child.pid ?? ''}\n`);
    child.once('exit', () => this.#guard.stdin?.write('\n'));
  }

  /** Removes the folder; may be called again. */
  async remove(): Promise<void> {
    this.#guard.ref();
    this.#guard.stdin?.end();
    if (this.#guard.exitCode === null && this.#guard.signalCode === null) await once(this.#guard, 'exit');
  }
}
