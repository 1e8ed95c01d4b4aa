/**
 * A point in the life of a tag table: which table it is, and how many invalidations it had counted.
 *
 * A table that was lost restarts as another one. 0 stands for no table, which no entry is ever stamped with.
 */
export interface TagStamp {
  readonly table: number;
  readonly at: number;
}

/** An entry's tags: it exists while none of them was invalidated after the stamps, in its scope and everywhere. */
export interface StampedTags {
  readonly names: readonly string[];
  readonly scope: TagStamp;
  readonly everywhere: TagStamp;
}

const KIND = 1;
const NAMES_AT = 33;
/** Tags of one entry; with more it is none that was written by this library. */
export const MAX_NAMES = 64;

/**
 * The metadata of an envelope: a 1, four float64 for the two stamps, then each tag as its length in two bytes and its
 * UTF-8; all numbers are big-endian.
 */
export function encodeStampedTags({ names, scope, everywhere }: StampedTags): Buffer {
  const texts = names.map((name) => Buffer.from(name));
  const bytes = Buffer.allocUnsafe(texts.reduce((sum, text) => sum + 2 + text.length, NAMES_AT));
  bytes[0] = KIND;
  bytes.writeDoubleBE(scope.table, 1);
  bytes.writeDoubleBE(scope.at, 9);
  bytes.writeDoubleBE(everywhere.table, 17);
  bytes.writeDoubleBE(everywhere.at, 25);
  let at = NAMES_AT;
  for (const text of texts) {
    bytes.writeUInt16BE(text.length, at);
    bytes.set(text, at + 2);
    at += 2 + text.length;
  }
  return bytes;
}

/** @returns undefined for bytes that {@link encodeStampedTags} does not write */
export function decodeStampedTags(meta: Buffer): StampedTags | undefined {
  if (meta.length < NAMES_AT || meta[0] !== KIND) return undefined;
  const scope = { table: meta.readDoubleBE(1), at: meta.readDoubleBE(9) };
  const everywhere = { table: meta.readDoubleBE(17), at: meta.readDoubleBE(25) };
  if (!isStamp(scope) || !isStamp(everywhere)) return undefined;
  const names: string[] = [];
  for (let at = NAMES_AT; at < meta.length;) {
    if (at + 2 > meta.length || names.length === MAX_NAMES) return undefined;
    const end = at + 2 + meta.readUInt16BE(at);
    if (end > meta.length || end === at + 2) return undefined;
    names.push(meta.toString('utf8', at + 2, end));
    at = end;
  }
  return names.length === 0 ? undefined : { names, scope, everywhere };
}

function isStamp({ table, at }: TagStamp): boolean {
  return Number.isSafeInteger(table) && table !== 0 && Number.isSafeInteger(at) && at >= 0;
}
