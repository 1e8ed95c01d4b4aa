import { encodeSegment, isHashedKey } from '@tierkit/core';
import { busError } from '../errors.ts';

const LITERAL = /^[\w.-]+$/;
const PARAMETER = /^\{([A-Za-z_]\w*)\}$/;

type Segment =
  | { readonly text: string; readonly param?: undefined }
  | { readonly param: string; readonly text?: undefined };

/** A channel's name in the map, taken apart: `'notifications:user:{id}'`. */
export class ChannelName {
  readonly name: string;
  /** Whether it has no parameters. */
  readonly literal: boolean;
  readonly #segments: readonly Segment[];

  /** @throws {TierkitError} `ERR_BUS_CHANNEL` */
  constructor(name: string) {
    this.name = name;
    this.#segments = name.split(':').map((segment): Segment => {
      const param = PARAMETER.exec(segment)?.[1];
      if (param !== undefined && param !== '__proto__') return { param };
      if (LITERAL.test(segment)) return { text: segment };
      throw invalid(name, 'has a segment that is neither letters, digits and _ . - nor a parameter in braces');
    });
    const params = this.params;
    this.literal = params.length === 0;
    if (new Set(params).size < params.length) throw invalid(name, 'has a parameter twice');
    if (name.length > 256) throw invalid(name, 'is longer than 256 characters');
  }

  get params(): readonly string[] {
    return this.#segments.flatMap(({ param }) => (param === undefined ? [] : [param]));
  }

  /** Whether both can become the same names, all of them. */
  looksLike(other: ChannelName): boolean {
    return this.#compare(other, (own, its) => own.text === its.text);
  }

  /** Whether both can become the same name. */
  mayMeet(other: ChannelName): boolean {
    return this.#compare(
      other,
      (own, its) => own.text === undefined || its.text === undefined || own.text === its.text,
    );
  }

  #compare(other: ChannelName, agree: (own: Segment, its: Segment) => boolean): boolean {
    if (this.#segments.length !== other.#segments.length) return false;
    return this.#segments.every((segment, i) => agree(segment, other.#segments[i] as Segment));
  }

  /** Matches in Redis what the name can become, and possibly more: a segment ends at no `:` there. */
  get glob(): string {
    return this.#segments.map((segment) => segment.text ?? '*').join(':');
  }

  /** What all names that it can become begin with. */
  get beginning(): string {
    const first = this.name.indexOf('{');
    return first === -1 ? this.name : this.name.slice(0, first);
  }

  /**
   * The name with its parameters filled in, as it stands in Redis.
   *
   * @throws {TierkitError} `ERR_BUS_CHANNEL`: a parameter is missing, unknown, empty or too long
   */
  fill(params: Readonly<Record<string, string | number>>): string {
    const unknown = Object.keys(params).find((param) => !this.params.includes(param));
    if (unknown !== undefined) throw invalid(this.name, `has no parameter ${unknown}`);
    return this.#segments
      .map((segment) => {
        if (segment.param === undefined) return segment.text;
        const value = Object.hasOwn(params, segment.param) ? params[segment.param] : undefined;
        if (value === undefined) throw invalid(this.name, `needs the parameter ${segment.param}`);
        return encoded(this.name, value);
      })
      .join(':');
  }

  /** The parameters in a name as users write it; undefined if it is no name of this channel. */
  read(text: string): Record<string, string> | undefined {
    const parts = text.split(':');
    if (parts.length !== this.#segments.length) return undefined;
    const params: Record<string, string> = {};
    for (const [i, segment] of this.#segments.entries()) {
      const part = parts[i] ?? '';
      if (segment.param === undefined ? segment.text !== part : part === '') return undefined;
      if (segment.param !== undefined) params[segment.param] = part;
    }
    return params;
  }

  /** The parameters in a name as `fill` returns it; undefined for what `fill` never returns. */
  decode(encodedName: string): Record<string, string> | undefined {
    const params = this.read(encodedName);
    if (params === undefined) return undefined;
    try {
      for (const [param, value] of Object.entries(params)) params[param] = decodeURIComponent(value);
      return this.fill(params) === encodedName ? params : undefined;
    } catch {
      return undefined;
    }
  }

  /** The name as users read it. */
  show(params: Readonly<Record<string, string>>): string {
    return this.#segments.map((s) => (s.param === undefined ? s.text : (params[s.param] ?? ''))).join(':');
  }
}

function encoded(name: string, value: string | number): string {
  let segment: string;
  try {
    segment = encodeSegment(value, 'a parameter');
  } catch (cause) {
    throw invalid(name, 'has a parameter that is neither text nor a finite number, or is empty', cause);
  }
  if (isHashedKey(segment)) throw invalid(name, 'has a parameter that is too long');
  return segment;
}

function invalid(name: string, fault: string, cause?: unknown): Error {
  const shown = JSON.stringify(name.slice(0, 100));
  return busError('ERR_BUS_CHANNEL', `channel ${shown} ${fault}`, { cause, details: { channel: name } });
}
