import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { bundle, type Program } from './bundle.ts';

/** Runs a TypeScript program in a process of its own. */
export async function runExample(
  example: Program,
  env: NodeJS.ProcessEnv,
): Promise<{ readonly stdout: string; readonly stderr: string }> {
  const program = await bundle(example);
  try {
    return await promisify(execFile)(process.execPath, [program.file], { env });
  } finally {
    program.remove();
  }
}
