import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { bundle } from './bundle.ts';

/** Runs a TypeScript program in a process of its own. */
export async function runExample(
  file: string,
  env: NodeJS.ProcessEnv,
): Promise<{ readonly stdout: string; readonly stderr: string }> {
  const program = await bundle(file);
  try {
    return await promisify(execFile)(process.execPath, [program.file], { env });
  } finally {
    program.remove();
  }
}
