import { spawn, spawnSync } from 'node:child_process';

/** What a command prints, or undefined when it cannot run or fails. @param {string} file @param {string[]} args */
export function output(file, args) {
  const result = spawnSync(file, args, { encoding: 'utf8', timeout: 60_000, shell: process.platform === 'win32' });
  return result.status === 0 ? result.stdout.trim() : undefined;
}

/**
 * Runs a command on this terminal and resolves to its exit code. Signals reach the child, which may then shut down
 * in its own time.
 * @param {string} file @param {readonly string[]} args @param {NodeJS.ProcessEnv} [env] @returns {Promise<number>}
 */
export function run(file, args, env = process.env) {
  return new Promise((resolve, reject) => {
    const child = spawn(file, args, { stdio: 'inherit', env });
    const signals = /** @type {const} */ (['SIGINT', 'SIGTERM', 'SIGHUP']);
    /** @param {NodeJS.Signals} signal */
    const forward = (signal) => child.kill(signal);
    for (const signal of signals) process.on(signal, forward);
    const done = () => {
      for (const signal of signals) process.off(signal, forward);
    };
    child.once('error', (error) => {
      done();
      reject(error);
    });
    child.once('exit', (code, signal) => {
      done();
      resolve(code ?? (signal === 'SIGINT' ? 130 : 143));
    });
  });
}
