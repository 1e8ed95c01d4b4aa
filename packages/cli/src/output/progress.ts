import type { Output } from './output.ts';

const WIDTH = 24;
const REDRAW_MS = 100;

/** How far something is, redrawn on one line of a terminal's stderr; elsewhere, and with `--json`, nothing is drawn. */
export class Progress {
  readonly #draw: ((text: string) => void) | undefined;
  readonly #label: string;
  #drawnAt = 0;
  #drawn = false;

  constructor(output: Output, label: string) {
    this.#label = label;
    const { errors, json } = output;
    if (errors.isTTY === true && !json) this.#draw = (text) => void errors.write(`\r\u001b[2K${text}`);
  }

  /** @param of the whole; undefined if that is not known */
  show(done: number, of?: number): void {
    if (this.#draw === undefined) return;
    const now = performance.now();
    if (this.#drawn && now - this.#drawnAt < REDRAW_MS && done !== of) return;
    this.#drawnAt = now;
    this.#drawn = true;
    if (of === undefined) return this.#draw(`${this.#label} ${done}`);
    const part = of === 0 ? 1 : Math.min(1, done / of);
    const bar = '#'.repeat(Math.round(part * WIDTH)).padEnd(WIDTH, '-');
    this.#draw(`${this.#label} [${bar}] ${Math.floor(part * 100)} %`);
  }

  end(): void {
    if (this.#drawn) this.#draw?.('');
    this.#drawn = false;
  }
}
