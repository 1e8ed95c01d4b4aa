import { fork, type ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** Starts a module of this repository as a child process with a message channel, in the way that this process runs. */
export function forkSource(module: URL, stderr: 'ignore' | 'inherit'): ChildProcess {
  return fork(fileURLToPath(module), {
    stdio: ['ignore', 'ignore', stderr, 'ipc'],
    serialization: 'advanced',
  });
}
