import { compilePattern, TierkitError, type KeyPattern } from '@tierkit/core';
import { busError } from '../errors.ts';
import type { Channel, Channels } from './channel.ts';
import { ChannelName } from './channel-name.ts';

/** A channel of the map. */
export interface KnownChannel {
  readonly name: ChannelName;
  readonly channel: Channel;
}

/** A channel with its parameters filled in. */
export interface Resolved extends KnownChannel {
  /** The name as it stands in Redis. */
  readonly encoded: string;
  /** The name as users read it. */
  readonly shown: string;
  readonly params: Readonly<Record<string, string>>;
}

/** A channel to listen to: one name of it, or all that are accepted. */
export type Route =
  | { readonly known: KnownChannel; readonly exact: Resolved }
  | {
      readonly known: KnownChannel;
      readonly exact?: undefined;
      /** Whether every name of the channel is accepted. */
      readonly whole: boolean;
      /** For Redis; it may match more than is accepted. */
      readonly glob: string;
      accepts(encoded: string): boolean;
    };

/** What was asked of one channel. */
type Asked = Resolved | KeyPattern | 'all';

/** The channels of a bus, and what names and patterns mean among them. */
export class ChannelMap {
  readonly #known = new Map<string, KnownChannel>();
  readonly #literals = new Map<string, Resolved>();
  /** Their parameters may make the name of another channel. */
  readonly #contested = new Set<string>();

  /** @throws {TierkitError} `ERR_BUS_OPTIONS`, `ERR_BUS_CHANNEL` */
  constructor(channels: Channels) {
    if (typeof channels !== 'object' || channels === null) {
      throw busError('ERR_BUS_OPTIONS', "channels are needed by name, such as { 'news': ephemeral() }");
    }
    for (const [name, channel] of Object.entries(channels)) {
      if (!['ephemeral', 'durable', 'fed'].includes((channel as Channel | null)?.kind ?? ''))
        throw busError('ERR_BUS_OPTIONS', `channel ${name} must be made by ephemeral, durable or fed`);
      const known = { name: new ChannelName(name), channel };
      if (channel.kind === 'fed' && !known.name.literal)
        throw busError('ERR_BUS_CHANNEL', `channel ${name} is fed and can have no parameters`);
      for (const other of this.#known.values()) {
        if (known.name.looksLike(other.name))
          throw busError('ERR_BUS_CHANNEL', `channels ${other.name.name} and ${name} have the same names`);
        if (known.name.mayMeet(other.name)) this.#contested.add(name).add(other.name.name);
      }
      this.#known.set(name, known);
      if (known.name.literal) this.#literals.set(name, fill(known, {}));
    }
  }

  /** All that are durable. */
  get streams(): KnownChannel[] {
    return [...this.#known.values()].filter(({ channel }) => channel.kind === 'durable');
  }

  /** @throws {TierkitError} `ERR_BUS_CHANNEL` for what is no name of the map */
  require(name: string): void {
    if (!this.#known.has(name)) throw unknown(name);
  }

  /**
   * The channel that a name means.
   *
   * @param params for a name that leaves them open
   * @throws {TierkitError} `ERR_BUS_CHANNEL`
   */
  resolve(name: string, params?: Readonly<Record<string, string | number>>): Resolved {
    const literal = params === undefined ? this.#literals.get(name) : undefined;
    if (literal !== undefined) return literal;
    const known = typeof name === 'string' ? this.#known.get(name) : undefined;
    if (known !== undefined) return this.#own(fill(known, params ?? {}));
    if (params === undefined && typeof name === 'string') {
      for (const candidate of this.#known.values()) {
        const read = candidate.name.read(name);
        if (read !== undefined) return fill(candidate, read);
      }
    }
    throw unknown(name);
  }

  /** One route for each channel that is asked for, or for each name of an ephemeral one. @throws {TierkitError} `ERR_BUS_CHANNEL`, `ERR_PATTERN_INVALID` */
  match(asked: string | readonly string[]): Route[] {
    const wanted = new Map<KnownChannel, Asked[]>();
    const add = (known: KnownChannel, what: Asked): void => {
      wanted.set(known, [...(wanted.get(known) ?? []), what]);
    };
    const list = typeof asked === 'string' ? [asked] : asked;
    if (!Array.isArray(list) || list.length === 0) throw unknown(asked);
    for (const one of list as readonly string[]) this.#matchOne(one, add);
    return [...wanted].flatMap(([known, what]) => routes(known, what, (encoded) => this.#owner(encoded) === known));
  }

  /**
   * The durable channels that a name or pattern means.
   *
   * @throws {TierkitError} `ERR_BUS_CHANNEL`, also for what means no durable one, or only some names of one
   */
  durable(asked: string | readonly string[]): KnownChannel[] {
    const list = typeof asked === 'string' ? [asked] : asked;
    if (!Array.isArray(list) || list.length === 0) throw unknown(asked);
    const found = new Set<KnownChannel>();
    for (const one of list as readonly string[]) {
      const routes = this.match(one).filter(({ known }) => known.channel.kind === 'durable');
      if (routes.length === 0)
        throw busError('ERR_BUS_CHANNEL', `no channel that ${JSON.stringify(one)} means is durable`);
      for (const route of routes) {
        const { known } = route;
        if (route.exact === undefined ? !route.whole : !known.name.literal)
          throw busError('ERR_BUS_CHANNEL', `channel ${known.name.name} can only be taken with all its parameters`);
        found.add(known);
      }
    }
    return [...found];
  }

  /** What parameters hold must not lead to another channel: `user:{id}` to `user:all`. */
  #own(resolved: Resolved): Resolved {
    const { name } = resolved.name;
    const owner = this.#contested.has(name) ? this.#owner(resolved.encoded)?.name.name : name;
    if (owner === name) return resolved;
    throw busError('ERR_BUS_CHANNEL', `channel ${name} has a parameter that makes it a name of channel ${owner}`);
  }

  /** The channel that a name in Redis belongs to. */
  #owner(encoded: string): KnownChannel | undefined {
    const literal = this.#known.get(encoded);
    if (literal?.name.literal === true) return literal;
    for (const candidate of this.#known.values()) if (candidate.name.read(encoded) !== undefined) return candidate;
    return undefined;
  }

  #matchOne(asked: string, add: (known: KnownChannel, what: Asked) => void): void {
    if (typeof asked !== 'string') throw unknown(asked);
    const known = this.#known.get(asked);
    if (known !== undefined) return add(known, known.name.literal ? fill(known, {}) : 'all');
    if (!/[*?]/.test(asked)) {
      const resolved = this.resolve(asked);
      return add(this.#known.get(resolved.name.name) ?? resolved, resolved);
    }
    const pattern = compilePattern(asked);
    let found = false;
    for (const candidate of this.#known.values()) {
      if (candidate.name.literal ? !pattern.matches(candidate.name.name) : !mayMeet(asked, candidate.name)) continue;
      found = true;
      if (candidate.name.literal) add(candidate, fill(candidate, {}));
      else add(candidate, covers(asked, candidate.name) ? 'all' : pattern);
    }
    if (!found) throw unknown(asked);
  }
}

/** Whether the texts before their first wildcard agree as far as both go. */
function mayMeet(pattern: string, { beginning }: ChannelName): boolean {
  const literal = pattern.slice(0, pattern.search(/[*?\\]/));
  return literal.startsWith(beginning) || beginning.startsWith(literal);
}

/** Whether a pattern matches all that a name can become: it has one wildcard, at the end and before the parameters. */
function covers(pattern: string, { beginning }: ChannelName): boolean {
  return /^[^*?\\]*\*$/.test(pattern) && beginning.startsWith(pattern.slice(0, -1));
}

function routes(known: KnownChannel, asked: readonly Asked[], belongs: (encoded: string) => boolean): Route[] {
  const names = asked.filter((one): one is Resolved => typeof one === 'object' && 'shown' in one);
  const different = [...new Map(names.map((name) => [name.encoded, name])).values()];
  // A durable channel is one stream for all of its names, and is read once.
  if (asked.length === names.length && (different.length === 1 || known.channel.kind !== 'durable')) {
    return different.map((exact) => ({ known, exact }));
  }
  const patterns = asked.filter((one): one is KeyPattern => typeof one === 'object' && 'matches' in one);
  const whole = asked.includes('all');
  const wanted = (encoded: string): boolean =>
    patterns.some((pattern) => pattern.matches(encoded)) || names.some((name) => name.encoded === encoded);
  // What Redis matches may be a name of another channel.
  const accepts = (encoded: string): boolean => belongs(encoded) && (whole || wanted(encoded));
  const [only] = patterns;
  // Redis need not send what lies outside of the one pattern there is.
  const narrow = asked.length === 1 && only?.encoded.startsWith(known.name.beginning) === true;
  return [{ known, whole, glob: narrow ? only.encoded : known.name.glob, accepts }];
}

function fill(known: KnownChannel, params: Readonly<Record<string, string | number>>): Resolved {
  const encoded = known.name.fill(params);
  const texts = Object.fromEntries(Object.entries(params).map(([param, value]) => [param, String(value)]));
  // Events hand it out as it is.
  return { ...known, encoded, shown: known.name.show(texts), params: Object.freeze(texts) };
}

function unknown(asked: unknown): TierkitError<'ERR_BUS_CHANNEL'> {
  const shown = typeof asked === 'string' ? asked.slice(0, 100) : `a value of type ${typeof asked}`;
  return busError('ERR_BUS_CHANNEL', `no channel is called or matched by ${JSON.stringify(shown)}`, {
    details: { channel: shown },
  });
}
