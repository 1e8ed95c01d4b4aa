import type { Writable } from 'node:stream';

type Row = readonly (string | number)[];

/** Writes the demo's text: with colour and a status line that rewrites itself on a terminal, plainly elsewhere. */
export class Printer {
  readonly #out: Writable;
  readonly isTerminal: boolean;
  readonly #colours: boolean;
  #statusShown = false;
  #ended = false;

  constructor(out: Writable & { readonly isTTY?: boolean }, env: NodeJS.ProcessEnv) {
    this.#out = out;
    this.isTerminal = out.isTTY === true && env['TERM'] !== 'dumb';
    this.#colours = this.isTerminal && (env['NO_COLOR'] ?? '') === '';
  }

  title(text: string): void {
    this.#write(`\n${this.#paint('1', text)}\n`);
  }

  line(text: string): void {
    this.#write(text === '' ? '\n' : `  ${text}\n`);
  }

  note(text: string): void {
    this.#write(`  ${this.#paint('2', text)}\n`);
  }

  good(text: string): void {
    this.#write(`  ${this.#paint('32', text)}\n`);
  }

  bad(text: string): void {
    this.#write(`  ${this.#paint('31', text)}\n`);
  }

  /** A table whose first row is its head; columns that hold numbers are aligned to the right. */
  table(rows: readonly Row[]): void {
    const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => String(row[column] ?? '').length)));
    for (const [index, row] of rows.entries()) {
      const cells = row.map((cell, column) => align(cell, widths[column] ?? 0, isNumeric(rows, column)));
      const text = cells.join('  ').trimEnd();
      this.#write(`  ${index === 0 ? this.#paint('2', text) : text}\n`);
    }
  }

  /** What is so now: replaces the last status on a terminal, is a line like others elsewhere. */
  status(text: string): void {
    if (!this.isTerminal) return this.line(text);
    if (this.#ended) return;
    this.#out.write(`\r\u001B[2K  ${text}`);
    this.#statusShown = true;
  }

  /** The last line; the status stays. What is still under way has nothing to say any more. */
  end(text: string): void {
    if (this.#statusShown) this.#out.write('\n');
    this.#statusShown = false;
    this.line(text);
    this.#ended = true;
  }

  #write(text: string): void {
    if (this.#ended) return;
    const start = this.#statusShown ? '\r\u001B[2K' : '';
    this.#statusShown = false;
    this.#out.write(start + text);
  }

  #paint(code: string, text: string): string {
    return this.#colours ? `\u001B[${code}m${text}\u001B[0m` : text;
  }
}

function isNumeric(rows: readonly Row[], column: number): boolean {
  return rows.slice(1).every((row) => /^(?:-?[<≤]? ?\d|-|$)/.test(String(row[column] ?? '')));
}

function align(cell: string | number, width: number, right: boolean): string {
  return right ? String(cell).padStart(width) : String(cell).padEnd(width);
}
