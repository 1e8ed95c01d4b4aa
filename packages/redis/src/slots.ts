/** The number of hash slots of a Redis Cluster. */
export const SLOT_COUNT = 16_384;

const CRC16: Uint16Array = Uint16Array.from({ length: 256 }, (_, byte) => {
  let crc = byte << 8;
  for (let bit = 0; bit < 8; bit++) crc = crc & 0x8000 ? (crc << 1) ^ 0x1021 : crc << 1;
  return crc;
});

/**
 * The Cluster slot, 0 to 16383, of a key: of what stands in its first braces if that is not empty, else of the whole key.
 *
 * A string is taken as UTF-8. Nothing is asked of a server.
 */
export function slotOf(key: string | Buffer): number {
  const bytes = typeof key === 'string' ? Buffer.from(key) : key;
  let start = 0;
  let end = bytes.length;
  const brace = bytes.indexOf(0x7b);
  if (brace !== -1) {
    const close = bytes.indexOf(0x7d, brace + 1);
    if (close > brace + 1) {
      start = brace + 1;
      end = close;
    }
  }
  let crc = 0;
  for (let i = start; i < end; i++) crc = ((crc << 8) & 0xffff) ^ (CRC16[(crc >> 8) ^ (bytes[i] ?? 0)] ?? 0);
  return crc % SLOT_COUNT;
}

/** Keys by slot, each group in the order given; a command of several keys may take one group on a Cluster. */
export function groupBySlot<K extends string | Buffer>(keys: Iterable<K>): Map<number, K[]> {
  const groups = new Map<number, K[]>();
  for (const key of keys) {
    const slot = slotOf(key);
    const group = groups.get(slot);
    if (group === undefined) groups.set(slot, [key]);
    else group.push(key);
  }
  return groups;
}
