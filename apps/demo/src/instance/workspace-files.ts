import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';

/** The source tree as the instances see it: the user's folder, with the demo's own edits laid over it. */
export class WorkspaceFiles {
  readonly root: string;
  readonly #edits: string;

  constructor(root: string, edits: string) {
    this.root = root;
    this.#edits = edits;
  }

  /** Makes an edited copy. @param path one of those that were listed */
  async edit(path: string, text: string): Promise<void> {
    const copy = join(this.#edits, path);
    await mkdir(dirname(copy), { recursive: true });
    await writeFile(copy, text);
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
