import { fork, type ChildProcess } from 'node:child_process';
import { createRequire } from 'node:module';
import { fileURLToPath, pathToFileURL } from 'node:url';

const tsx = pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href;

/** Starts a TypeScript module of this repository as a child process with a message channel. */
export function forkSource(module: URL, stderr: 'ignore' | 'inherit'): ChildProcess {
  return fork(fileURLToPath(module), {
    execArgv: ['--conditions=@tierkit/source', '--import', tsx],
    stdio: ['ignore', 'ignore', stderr, 'ipc'],
    serialization: 'advanced',
  });
}
