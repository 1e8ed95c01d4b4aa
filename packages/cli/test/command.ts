import { spawn, type ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { bundle } from '../../../test/support/bundle.ts';
import { said, type Said } from './said.ts';

const bin = fileURLToPath(new URL('../../tierkit/src/bin.ts', import.meta.url));

interface Running {
  readonly child: ChildProcess;
  readonly ended: Promise<Said>;
  /** What it has said so far. */
  stdout(): string;
  /** Resolves once stdout and stderr together hold the text. */
  until(text: string): Promise<void>;
}

/** The command as users have it: one process for each run. From its TypeScript sources each would take a second to start. */
export interface Binary {
  /** What a process of it is started with. */
  command(args: readonly string[]): readonly string[];
  start(args: readonly string[], environment?: Readonly<Record<string, string>>): Running;
  run(args: readonly string[], environment?: Readonly<Record<string, string>>): Promise<Said>;
  remove(): void;
}

export async function buildBinary(): Promise<Binary> {
  const { file, remove } = await bundle(bin);
  const start: Binary['start'] = (args, environment = {}) => {
    const env = { PATH: process.env['PATH'], ...environment };
    return watched(spawn(process.execPath, [file, ...args], { env, stdio: ['ignore', 'pipe', 'pipe'] }));
  };
  return {
    command: (args) => [process.execPath, file, ...args],
    start,
    run: (args, environment) => start(args, environment).ended,
    remove,
  };
}

function watched(child: ChildProcess): Running {
  let stdout = '';
  let stderr = '';
  const waiting = new Set<() => void>();
  const heard = (): void => waiting.forEach((look) => look());
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
    heard();
  });
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
    heard();
  });
  const ended = new Promise<Said>((resolve) => {
    child.once('close', (code) => {
      resolve(said(code, stdout, stderr));
      heard();
    });
  });
  return {
    child,
    ended,
    stdout: () => stdout,
    until: (text) =>
      new Promise((resolve, reject) => {
        const look = (): void => {
          if ((stdout + stderr).includes(text)) resolve();
          else if (child.exitCode !== null)
            reject(new Error(`it ended without saying "${text}":\n${stdout}\n${stderr}`));
          else return;
          waiting.delete(look);
        };
        waiting.add(look);
        look();
      }),
  };
}
