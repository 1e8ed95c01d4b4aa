import { printable, printableJson } from './printable.ts';

/** Somewhere to write to: `process.stdout` is one. */
export interface TextSink {
  write(text: string): unknown;
  readonly isTTY?: boolean | undefined;
}

/** What a command found: as data for programs and as lines for people, of which one is printed. */
export interface Report {
  readonly data: unknown;
  readonly text: string;
}

/** Results go to stdout and nothing else does; what happens meanwhile, questions and errors go to stderr. */
export class Output {
  readonly json: boolean;
  readonly #out: TextSink;
  readonly #err: TextSink;

  constructor(out: TextSink, err: TextSink, json: boolean) {
    this.#out = out;
    this.#err = err;
    this.json = json;
  }

  get errors(): TextSink {
    return this.#err;
  }

  /** @param report.text must hold no text of others that is not {@link printable} */
  report({ data, text }: Report): void {
    this.#out.write(`${this.json ? printableJson(data, 2) : text}\n`);
  }

  /** One line of many: with `--json` an object on a line of its own. */
  line({ data, text }: Report): void {
    this.#out.write(`${this.json ? printableJson(data) : text}\n`);
  }

  /** For whoever watches. */
  note(text: string): void {
    this.#err.write(`${text}\n`);
  }

  error(code: string, message: string): void {
    const shown = message.split('\n').map((line) => printable(line, 2_000));
    if (this.json) this.#err.write(`${printableJson({ error: { code, message: shown.join('\n') } })}\n`);
    else this.#err.write(`${code}: ${shown.join('\n')}\n`);
  }
}
