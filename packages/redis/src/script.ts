import { createHash } from 'node:crypto';
import { TierkitError } from '@tierkit/core';
import { isCluster, type RedisClient } from './client.ts';
import type { RedisConnection } from './connection.ts';
import { crossSlot } from './errors.ts';
import { compileArguments, type ArgumentTypes, type ArgumentValues, type Part } from './script-arguments.ts';
import { luaPrologue } from './script-prologue.ts';
import { slotOf } from './slots.ts';

type RestName<N extends string> = N extends `...${infer Rest}` ? Rest : never;
type PlainName<N extends string> = N extends `...${string}` ? never : N;

/** The keys that a run takes: one for each name, a list for the last one if it began with `...`. */
export type ScriptKeys<Keys extends readonly string[]> = {
  readonly [Name in PlainName<Keys[number]>]: string;
} & { readonly [Name in RestName<Keys[number]>]: readonly string[] };

export interface ScriptDefinition<Keys extends readonly string[], Args extends ArgumentTypes, Reply> {
  /** Shown in errors. */
  readonly name: string;
  /** Names of the keys, as Lua locals; `'...entries'` at the end takes any number, as a table. */
  readonly keys: Keys;
  /** Names and types of the arguments, as Lua locals; a list type may only come last. */
  readonly args: Args;
  /** Strings in the reply: decoded as UTF-8, or left as Buffers. @default 'text' */
  readonly replyAs?: 'text' | 'buffer';
  /** Turns what Redis replied into the result. */
  readonly reply: (raw: unknown) => Reply;
  /** The body; the locals for keys and arguments are declared before it. */
  readonly lua: string;
}

/** A Lua script with typed keys, arguments and reply, for any number of connections. */
export interface Script<Keys extends readonly string[], Args extends ArgumentTypes, Reply> {
  readonly name: string;
  /** The whole source that is sent, and its digest. */
  readonly source: string;
  readonly sha: string;

  /**
   * Runs the script atomically on the server.
   *
   * The first run on each socket sends the source, later ones its digest, so that runs keep the order in which they were
   * made also where the server does not know the script. One that forgets it meanwhile, by SCRIPT FLUSH, is sent the
   * source again: one more round trip within the same `commandTimeout`.
   *
   * @param since as of `execute`
   * @throws {TierkitError} `ERR_SCRIPT_ARGUMENT`: an argument is not of its type; nothing was sent.
   * @throws {TierkitError} `ERR_CROSS_SLOT`: on a Cluster, the keys are in different slots; nothing was sent.
   * @throws {TierkitError} `ERR_REDIS_UNAVAILABLE`, `ERR_REDIS_TIMEOUT`, `ERR_REDIS_REPLY` as of `execute`.
   */
  run(redis: RedisConnection, keys: ScriptKeys<Keys>, args: ArgumentValues<Args>, since?: number): Promise<Reply>;
}

interface ScriptCommands {
  evalsha(parts: Part[]): Promise<unknown>;
  evalshaBuffer(parts: Part[]): Promise<unknown>;
  eval(parts: Part[]): Promise<unknown>;
  evalBuffer(parts: Part[]): Promise<unknown>;
}

/**
 * Declares a Lua script: keys, arguments, reply and body in one place.
 *
 * @throws {TierkitError} `ERR_SCRIPT_DEFINITION`: a name cannot be a Lua local, occurs twice, or a list is not last.
 */
export function defineScript<const Keys extends readonly string[], const Args extends ArgumentTypes, Reply>(
  definition: ScriptDefinition<Keys, Args, Reply>,
): Script<Keys, Args, Reply> {
  const { name, keys: keyNames, args: types, reply, replyAs = 'text' } = definition;
  const source = luaPrologue(name, keyNames, types) + definition.lua;
  const sha = createHash('sha1').update(source).digest('hex');
  const restKey = keyNames.at(-1)?.startsWith('...') === true ? keyNames.at(-1)?.slice(3) : undefined;
  const plainKeys = restKey === undefined ? keyNames : keyNames.slice(0, -1);
  const pushArguments = compileArguments(name, types);
  const command = `EVALSHA ${name}`;
  // A new socket may lead to a server that does not know what the last one knew.
  const sentTo = new WeakSet<object>();
  const evalsha = replyAs === 'buffer' ? 'evalshaBuffer' : 'evalsha';
  const evaluate = replyAs === 'buffer' ? 'evalBuffer' : 'eval';

  const partsOf = (keys: Readonly<Record<string, unknown>>, args: Readonly<Record<string, unknown>>): Part[] => {
    const parts: Part[] = [sha, plainKeys.length];
    for (const key of plainKeys) parts.push(keyText(name, key, keys[key]));
    if (restKey !== undefined) {
      const rest = keys[restKey];
      if (!Array.isArray(rest)) throw wrongKey(name, restKey, 'must be a list of strings');
      for (const key of rest) parts.push(keyText(name, restKey, key));
      parts[1] = plainKeys.length + rest.length;
    }
    pushArguments(parts, args);
    return parts;
  };

  const send = (redis: RedisConnection, client: RedisClient, parts: Part[]): Promise<unknown> => {
    const socket = socketOf(redis, client, parts);
    const commands = client as unknown as ScriptCommands;
    if (socket === undefined || sentTo.has(socket)) return commands[evalsha](parts);
    sentTo.add(socket);
    return commands[evaluate]([source, ...parts.slice(1)]);
  };

  return {
    name,
    source,
    sha,
    run(redis, keys, args, since = redis.moment) {
      let parts: Part[];
      try {
        parts = partsOf(keys, args);
        if (redis.topology === 'cluster') requireOneSlot(name, parts);
      } catch (error) {
        return Promise.reject(error);
      }
      return redis
        .execute((client) => send(redis, client, parts), since, command)
        .then(reply, (error: unknown) => {
          if (!isUnknownScript(error)) throw error;
          parts[0] = source;
          return redis
            .execute((client) => (client as unknown as ScriptCommands)[evaluate](parts), since, command)
            .then(reply);
        });
    },
  };
}

/** The socket on which a run goes out, where that is known beforehand: on a Cluster, a run without keys goes anywhere. */
function socketOf(redis: RedisConnection, client: RedisClient, parts: readonly Part[]): object | undefined {
  if (!isCluster(client)) return client.stream;
  return parts[1] === 0 ? undefined : redis.masterOf(slotOf(parts[2] as string))?.stream;
}

function keyText(script: string, name: string, key: unknown): string {
  if (typeof key === 'string' && key !== '') return key;
  throw wrongKey(script, name, 'must be a string that is not empty');
}

function wrongKey(script: string, name: string, rule: string): TierkitError<'ERR_SCRIPT_ARGUMENT'> {
  return new TierkitError('ERR_SCRIPT_ARGUMENT', `Script ${script}: key ${name} ${rule}`, {
    details: { script, name },
  });
}

function requireOneSlot(script: string, parts: readonly Part[]): void {
  const count = parts[1] as number;
  if (count < 2) return;
  const slot = slotOf(parts[2] as string);
  for (let i = 3; i < count + 2; i++) {
    if (slotOf(parts[i] as string) !== slot) throw crossSlot(script);
  }
}

function isUnknownScript(error: unknown): boolean {
  return error instanceof TierkitError && error.details['reply'] === 'NOSCRIPT';
}
