import { mkdtempSync, rmSync } from 'node:fs';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

/** Edits files without touching them: the edited copies are in a temporary folder that is laid over the real one. */
export class EditedCopies implements AsyncDisposable {
  readonly folder: string = mkdtempSync(join(tmpdir(), 'tierkit-demo-edits-'));
  readonly #root: string;
  #edits = 0;

  constructor(root: string) {
    this.#root = root;
    process.once('exit', this.#leaveNothing);
  }

  readonly #leaveNothing = (): void => rmSync(this.folder, { recursive: true, force: true });

  /** Gives a file one function that no earlier version had. */
  async edit(path: string): Promise<void> {
    const original = await readFile(join(this.#root, path), 'utf8');
    const copy = join(this.folder, path);
    await mkdir(dirname(copy), { recursive: true });
    await writeFile(copy, `${original}\nfunction edit${++this.#edits}() {}\n`);
  }

  /** Back to the files as they are. */
  async undo(): Promise<void> {
    await rm(this.folder, { recursive: true, force: true });
    await mkdir(this.folder);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    process.off('exit', this.#leaveNothing);
    await rm(this.folder, { recursive: true, force: true });
  }
}
