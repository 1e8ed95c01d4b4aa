import { TierkitError } from '@tierkit/core';
import { isListType, type ArgumentType, type ArgumentTypes } from './script-arguments.ts';

const IDENTIFIER = /^[A-Za-z_][A-Za-z0-9_]*$/;
const RESERVED = new Set(
  (
    'and break do else elseif end false for function if in local nil not or repeat return then true until while ' +
    'KEYS ARGV redis cjson cmsgpack struct bit math string table tonumber tostring unpack ipairs pairs type error pcall'
  ).split(' '),
);
const TYPES: ReadonlySet<string> = new Set<ArgumentType>([
  'integer',
  'number',
  'string',
  'bytes',
  'boolean',
  'strings',
  'bytesList',
]);

/**
 * One line of Lua that declares a local for each key and argument.
 *
 * @throws {TierkitError} `ERR_SCRIPT_DEFINITION`.
 */
export function luaPrologue(script: string, keys: readonly string[], args: ArgumentTypes): string {
  const seen = new Set<string>();
  const require = (name: string): string => {
    if (!IDENTIFIER.test(name) || RESERVED.has(name))
      throw invalid(script, `${JSON.stringify(name)} cannot be a Lua local`);
    if (seen.has(name)) throw invalid(script, `${name} occurs twice`);
    seen.add(name);
    return name;
  };
  const lines = keys.map((key, i) => {
    if (!key.startsWith('...')) return `local ${require(key)}=KEYS[${i + 1}]`;
    if (i !== keys.length - 1) throw invalid(script, `${key} must be the last key`);
    return list(require(key.slice(3)), 'KEYS', i + 1);
  });
  const entries = Object.entries(args);
  for (const [i, [name, type]] of entries.entries()) {
    if (!TYPES.has(type)) throw invalid(script, `${name} has an unknown type`);
    if (isListType(type) && i !== entries.length - 1)
      throw invalid(script, `${name}, a list, must be the last argument`);
    lines.push(declaration(require(name), type, i + 1));
  }
  return `${lines.join(' ')}\n`;
}

function declaration(name: string, type: ArgumentType, index: number): string {
  if (isListType(type)) return list(name, 'ARGV', index);
  if (type === 'integer' || type === 'number') return `local ${name}=tonumber(ARGV[${index}])`;
  if (type === 'boolean') return `local ${name}=ARGV[${index}]=='1'`;
  return `local ${name}=ARGV[${index}]`;
}

// A loop, because unpack fails above about 8000 elements.
function list(name: string, source: 'KEYS' | 'ARGV', from: number): string {
  return `local ${name}={} for i=${from},#${source} do ${name}[i-${from - 1}]=${source}[i] end`;
}

function invalid(script: string, fault: string): TierkitError<'ERR_SCRIPT_DEFINITION'> {
  return new TierkitError('ERR_SCRIPT_DEFINITION', `Script ${script}: ${fault}`, { details: { script } });
}
