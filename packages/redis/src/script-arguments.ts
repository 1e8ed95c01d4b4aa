import { TierkitError } from '@tierkit/core';

/**
 * `integer` and `number` arrive in Lua as numbers, `boolean` as a boolean, `string` and `bytes` as strings, the lists
 * as tables of strings.
 */
export type ArgumentType = 'integer' | 'number' | 'string' | 'bytes' | 'boolean' | 'strings' | 'bytesList';

export type ArgumentTypes = Readonly<Record<string, ArgumentType>>;

interface ValueOf {
  readonly integer: number;
  readonly number: number;
  readonly string: string;
  readonly bytes: Buffer;
  readonly boolean: boolean;
  readonly strings: readonly string[];
  readonly bytesList: readonly Buffer[];
}

export type ArgumentValues<Args extends ArgumentTypes> = { readonly [Name in keyof Args]: ValueOf[Args[Name]] };

/** One part of an EVALSHA command. */
export type Part = string | number | Buffer;

type Push = (parts: Part[], values: Readonly<Record<string, unknown>>) => void;

export function isListType(type: ArgumentType): boolean {
  return type === 'strings' || type === 'bytesList';
}

/** A function that checks the values of a run and appends them to its command. */
export function compileArguments(script: string, types: ArgumentTypes): Push {
  const entries = Object.entries(types);
  return (parts, values) => {
    for (const [name, type] of entries) {
      if (!append(parts, type, values[name])) throw wrongType(script, name, type);
    }
  };
}

function append(parts: Part[], type: ArgumentType, value: unknown): boolean {
  switch (type) {
    case 'integer':
      return Number.isSafeInteger(value) && push(parts, String(value));
    case 'number':
      return Number.isFinite(value) && push(parts, String(value));
    case 'string':
      return typeof value === 'string' && push(parts, value);
    case 'bytes':
      return Buffer.isBuffer(value) && push(parts, value);
    case 'boolean':
      return typeof value === 'boolean' && push(parts, value ? '1' : '0');
    case 'strings':
      return Array.isArray(value) && value.every((item) => append(parts, 'string', item));
    case 'bytesList':
      return Array.isArray(value) && value.every((item) => append(parts, 'bytes', item));
    default:
      return false;
  }
}

function push(parts: Part[], part: Part): true {
  parts.push(part);
  return true;
}

function wrongType(script: string, name: string, type: ArgumentType): TierkitError<'ERR_SCRIPT_ARGUMENT'> {
  return new TierkitError('ERR_SCRIPT_ARGUMENT', `Script ${script}: argument ${name} must be of type ${type}`, {
    details: { script, name, type },
  });
}
