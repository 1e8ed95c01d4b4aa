import { stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

export const USAGE = `Usage: npm run demo -- [folder] [--once | --live]

  folder   source code to analyse, by default this repository's own packages
  --once   show every act once, print the summary and end; so it does where the output is no terminal
  --live   go on with the live view until Ctrl-C, wherever the output goes
  --help   this text`;

const PACKAGES = fileURLToPath(new URL('../../../packages', import.meta.url));

/** The command line makes no sense; the message is the one line that says why. */
export class UsageError extends Error {}

export interface CommandLine {
  readonly folder: string;
  readonly once: boolean;
  readonly live: boolean;
  readonly help: boolean;
}

/** Reads the arguments. Rejects with `UsageError` on one it does not know and on a folder that is none. */
export async function readCommandLine(args: readonly string[]): Promise<CommandLine> {
  const { values, positionals } = parse(args);
  if (positionals.length > 1) throw new UsageError(`one folder is enough, got ${positionals.length}`);
  const [given] = positionals;
  const folder = given === undefined ? PACKAGES : await existing(given);
  if (values.once && values.live) throw new UsageError('--once and --live exclude each other');
  return { folder, once: values.once, live: values.live, help: values.help };
}

function parse(args: readonly string[]): {
  values: { once: boolean; live: boolean; help: boolean };
  positionals: string[];
} {
  try {
    return parseArgs({
      args: [...args],
      options: {
        once: { type: 'boolean', default: false },
        live: { type: 'boolean', default: false },
        help: { type: 'boolean', short: 'h', default: false },
      },
      allowPositionals: true,
    });
  } catch (error) {
    throw new UsageError((error as Error).message.split(/\.? To specify|\n/)[0], { cause: error });
  }
}

/** npm runs scripts in the package's folder and says in INIT_CWD where the user was. */
async function existing(given: string): Promise<string> {
  const bases = [process.cwd(), process.env['INIT_CWD']].filter((base) => base !== undefined);
  const found = await Promise.all(
    bases.map(async (base) => {
      const path = resolve(base, given);
      const info = await stat(path).catch(() => undefined);
      return info === undefined ? undefined : { path, isFolder: info.isDirectory() };
    }),
  );
  const folder = found.find((candidate) => candidate?.isFolder);
  if (folder !== undefined) return folder.path;
  throw new UsageError(found.some((it) => it !== undefined) ? `not a folder: ${given}` : `no such folder: ${given}`);
}
