import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

/** The source tree as the instances see it: the user's folder, with the demo's own edits laid over it. */
export class WorkspaceFiles {
  readonly root: string;
  readonly #edits: string;

  constructor(root: string, edits: string) {
    this.root = root;
    this.#edits = edits;
  }

  /** The text of a file, the edited copy first. */
  async read(path: string): Promise<string> {
    try {
      return await readFile(join(this.#edits, path), 'utf8');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
      return readFile(join(this.root, path), 'utf8');
    }
  }
}
