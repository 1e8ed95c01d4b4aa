import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

export interface Licence {
  readonly package: string;
  readonly licence: string;
}

/**
 * Stands for a registry across a network: the licences are those of the packages installed here, the round trip of
 * `LOOKUP_MS` is made up.
 */
export class LicenceRegistry {
  static readonly LOOKUP_MS: number = 120;
  readonly #folder: string;
  #calls = 0;

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** How often it was asked. */
  get calls(): number {
    return this.#calls;
  }

  /** The licence of a package that `importer` imports, or `unknown`. */
  async lookUp(name: string, importer: string): Promise<Licence> {
    this.#calls++;
    await sleep(LicenceRegistry.LOOKUP_MS);
    for (let folder = dirname(join(this.#folder, importer)); ; folder = dirname(folder)) {
      const licence = await licenceIn(join(folder, 'node_modules', name, 'package.json'));
      if (licence !== undefined) return { package: name, licence };
      if (folder === dirname(folder)) return { package: name, licence: 'unknown' };
    }
  }
}

async function licenceIn(manifest: string): Promise<string | undefined> {
  try {
    const { license } = JSON.parse(await readFile(manifest, 'utf8')) as { license?: unknown };
    return typeof license === 'string' ? license : undefined;
  } catch {
    return undefined;
  }
}
