/** A cached value for people to read: what JSON lacks is an object with one key that begins with `$`. */
export interface JsonValue {
  readonly type: string;
  readonly json: unknown;
  /** Whether something was left out, since the whole is too large. */
  readonly truncated: boolean;
}

/** Parts of a value that are shown. */
const MAX_NODES = 20_000;
/** Characters of all texts that are shown. */
const MAX_TEXT = 500_000;
const MAX_DEPTH = 100;
const CUT = { $truncated: true };

export function jsonValue(value: unknown): JsonValue {
  const budget: Budget = { nodes: MAX_NODES, text: MAX_TEXT, truncated: false };
  const json = render(value, budget, 0);
  return { type: typeOf(value), json, truncated: budget.truncated };
}

interface Budget {
  nodes: number;
  text: number;
  truncated: boolean;
}

function render(value: unknown, budget: Budget, depth: number): unknown {
  if (--budget.nodes < 0 || depth > MAX_DEPTH) return cut(budget);
  switch (typeof value) {
    case 'string':
      return text(value, budget);
    case 'number':
      return Number.isFinite(value) && !Object.is(value, -0)
        ? value
        : { $number: Object.is(value, -0) ? '-0' : String(value) };
    case 'bigint':
      return { $bigint: text(value.toString(), budget) };
    case 'boolean':
      return value;
    case 'undefined':
      return { $undefined: true };
    case 'object':
      return value === null ? null : container(value, budget, depth);
    case 'function':
    case 'symbol':
      break;
  }
  return { $unsupported: typeof value };
}

function container(value: object, budget: Budget, depth: number): unknown {
  const each = (items: Iterable<unknown>): unknown[] => {
    const shown: unknown[] = [];
    for (const item of items) {
      shown.push(render(item, budget, depth + 1));
      if (budget.nodes < 0) break;
    }
    return shown;
  };
  if (Array.isArray(value)) return each(value);
  if (value instanceof Date) return { $date: Number.isNaN(value.getTime()) ? 'invalid' : value.toISOString() };
  if (value instanceof Map) return { $map: each(value) };
  if (value instanceof Set) return { $set: each(value) };
  if (ArrayBuffer.isView(value) || value instanceof ArrayBuffer) return { $bytes: bytes(value, budget) };
  const fields: [string, unknown][] = [];
  for (const [name, field] of Object.entries(value)) {
    if (budget.nodes < 0) break;
    fields.push([text(name, budget), render(field, budget, depth + 1)]);
  }
  // Makes own properties of any name, `__proto__` too.
  return Object.fromEntries(fields);
}

function bytes(value: ArrayBuffer | ArrayBufferView, budget: Budget): string {
  const all = ArrayBuffer.isView(value)
    ? Buffer.from(value.buffer as ArrayBuffer, value.byteOffset, value.byteLength)
    : Buffer.from(value);
  const most = Math.floor((Math.max(0, budget.text) * 3) / 4);
  if (all.length > most) cut(budget);
  return text(all.subarray(0, most).toString('base64'), budget) + (all.length > most ? '...' : '');
}

function text(value: string, budget: Budget): string {
  const shown = value.slice(0, Math.max(0, budget.text));
  budget.text -= value.length;
  if (shown.length === value.length) return value;
  cut(budget);
  return `${shown}...`;
}

function cut(budget: Budget): typeof CUT {
  budget.truncated = true;
  return CUT;
}

function typeOf(value: unknown): string {
  if (value === null) return 'null';
  if (typeof value !== 'object') return typeof value;
  if (Array.isArray(value)) return 'array';
  if (value instanceof Date) return 'date';
  if (value instanceof Map) return 'map';
  if (value instanceof Set) return 'set';
  return ArrayBuffer.isView(value) || value instanceof ArrayBuffer ? 'bytes' : 'object';
}
