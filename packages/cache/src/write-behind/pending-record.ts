import type { PendingWrite } from './pending-store.ts';

/** Bytes of a record before the queue's name: version and time as doubles, then kind, flags and the name's length. */
const HEADER_BYTES = 19;
export const DELETED = 1;
const REPLAYED = 2;

/** Lua: the function `versionOf(record)`. */
export const versionOf = `
local function versionOf(record)
  return #record >= 8 and (struct.unpack('>d', record))
end
`;

/** @returns undefined for bytes that are no record */
export function parseRecord(name: string, record: Buffer | null): PendingWrite | undefined {
  if (record === null || record.length < HEADER_BYTES) return undefined;
  const version = record.readDoubleBE(0);
  const enqueuedAtMs = record.readDoubleBE(8);
  const kind = record[16] ?? 0;
  const payloadAt = HEADER_BYTES + (record[18] ?? 0);
  if (!Number.isSafeInteger(version) || !Number.isFinite(enqueuedAtMs) || payloadAt > record.length) return undefined;
  return {
    name,
    version,
    enqueuedAtMs,
    deleted: (kind & DELETED) !== 0,
    replayed: (kind & REPLAYED) !== 0,
    flags: record[17] ?? 0,
    payload: record.subarray(payloadAt),
  };
}

export function encodeRecord(write: PendingWrite, queue: string): Buffer {
  const header = Buffer.alloc(HEADER_BYTES);
  header.writeDoubleBE(write.version, 0);
  header.writeDoubleBE(write.enqueuedAtMs, 8);
  header[16] = (write.deleted ? DELETED : 0) | (write.replayed ? REPLAYED : 0);
  header[17] = write.flags;
  header[18] = queue.length;
  return Buffer.concat([header, Buffer.from(queue, 'latin1'), write.payload]);
}
