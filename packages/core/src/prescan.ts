export interface PrescanLimits {
  readonly maxDepth: number;
  readonly maxNodes: number;
}

/** Whether `bytes` from `start` to the end are one value that is safe to unpack, with at most `maxDepth` levels. */
export type Prescan = (bytes: Uint8Array, start: number, maxDepth: number) => 'sound' | 'malformed' | 'too-many-nodes';

// What decoding costs in time and heap, in nodes; one node is about 100 ns and 128 bytes at worst.
const NEW_KEY_NODES = 16;
const TAG_NODES = 4;
const ESCAPED_KEY_NODES = 12;
const BINARY_NODES = 16;
/** Up to this size not even distinct keys everywhere take long, so they are not looked for. */
const SMALL_BYTES = 65_536;
const KEY_SLOTS = 4096;
const ELEMENTS_GAP = 1024;
/** A node for 8 elements. */
const ROOM_PER_NODE_SHIFT = 3;

/**
 * Makes a scan that reads msgpack without building anything, in one pass of constant memory.
 *
 * It admits nil, booleans, 8 to 32-bit integers, float64, strings, arrays, and maps with string keys; binary only
 * behind a `start` that is not 0. Extensions are refused, inline records and references among them. Memory and time of
 * the later decoding are bounded by counting nodes, where keys never seen before, tags, keys like `"900"` that make V8
 * allocate the elements below, and binaries count as several.
 */
export function createPrescan(limits: PrescanLimits): Prescan {
  const { maxNodes } = limits;
  const levels = limits.maxDepth + 1;
  const itemsLeft = new Int32Array(levels); // twice the number, plus 1 in a map
  const elementRoom = new Int32Array(levels);
  const keyPositions = new Int32Array(KEY_SLOTS);
  const keyLengths = new Int32Array(KEY_SLOTS);

  function prescan(bytes: Uint8Array, start: number, maxDepth: number): ReturnType<Prescan> {
    const end = bytes.length;
    const large = end - start > SMALL_BYTES;
    if (large) keyPositions.fill(-1);
    let position = start;
    let depth = 0;
    let left = 1;
    let inMap = false;
    let nodes = 0;
    const perText = start === 0 ? 0 : 1; // it may be the key of a Map

    for (;;) {
      while (left === 0) {
        if (depth === 0) {
          if (position !== end) return 'malformed';
          return nodes <= maxNodes ? 'sound' : 'too-many-nodes';
        }
        depth--;
        const packed = itemsLeft[depth]!;
        inMap = (packed & 1) === 1;
        left = packed >> 1;
      }
      left--;

      if (inMap) {
        if (position >= end) return 'malformed';
        const token = bytes[position]!;
        let length: number;
        if (token >= 0xa0 && token < 0xc0) {
          length = token & 0x1f;
          position += 1;
        } else if (token === 0xd9 && position + 1 < end) {
          length = bytes[position + 1]!;
          position += 2;
        } else if (token === 0xda && position + 2 < end) {
          length = (bytes[position + 1]! << 8) | bytes[position + 2]!;
          position += 3;
        } else if (token === 0xdb && position + 4 < end) {
          length = uint32(bytes, position + 1);
          position += 5;
        } else return 'malformed';
        if (length >= end - position) return 'malformed'; // a value must follow
        nodes++;
        const first = bytes[position]!;
        if (first < 2) nodes += first === 0 ? TAG_NODES : ESCAPED_KEY_NODES;
        else if (length > 0 && length < 5 && first >= 0x30 && first <= 0x39) {
          const room = elementRoom[depth]!;
          const grown = roomForElement(bytes, position, length, room);
          nodes += (grown - room) >> ROOM_PER_NODE_SHIFT;
          elementRoom[depth] = grown;
        }
        if (large && !seenBefore(bytes, position, length)) nodes += NEW_KEY_NODES;
        position += length;
      }

      if (position >= end) return 'malformed';
      if (++nodes > maxNodes) return 'too-many-nodes';
      const token = bytes[position++]!;
      let children: number;
      let map = false;
      if (token < 0x80 || token >= 0xe0) continue;
      if (token >= 0xa0 && token < 0xc0) {
        position += token & 0x1f;
        nodes += perText;
        continue;
      }
      if (token < 0x90) {
        children = token & 0x0f;
        map = true;
      } else if (token < 0xa0) {
        children = token & 0x0f;
      } else {
        switch (token) {
          case 0xc0: // nil
          case 0xc2: // false
          case 0xc3: // true
            continue;
          case 0xcb: // float64
            position += 8;
            continue;
          case 0xcc: // uint8
          case 0xd0: // int8
            position += 1;
            continue;
          case 0xcd: // uint16
          case 0xd1: // int16
            position += 2;
            continue;
          case 0xce: // uint32
          case 0xd2: // int32
            position += 4;
            continue;
          case 0xc4: // bin8
          case 0xc5: // bin16
          case 0xc6: // bin32
            if (start === 0) return 'malformed';
            nodes += BINARY_NODES;
            break;
          case 0xd9: // str8
            if (position >= end) return 'malformed';
            position += 1 + bytes[position]!;
            nodes += perText;
            continue;
          case 0xda: // str16
          case 0xdb: // str32
          case 0xdc: // array16
          case 0xdd: // array32
          case 0xde: // map16
          case 0xdf: // map32
            break;
          default:
            return 'malformed';
        }
        const width = token < 0xc7 ? 1 << (token - 0xc4) : token === 0xda || (token & 0xfd) === 0xdc ? 2 : 4;
        if (width >= end - position + 1) return 'malformed';
        const length =
          width === 1
            ? bytes[position]!
            : width === 2
              ? (bytes[position]! << 8) | bytes[position + 1]!
              : uint32(bytes, position);
        position += width;
        if (length > end - position) return 'malformed';
        if (token < 0xdc) {
          position += length;
          nodes += perText;
          continue;
        }
        children = length;
        map = token >= 0xde;
      }

      if (depth === maxDepth || children > end - position) return 'malformed';
      if (children === 0) continue;
      itemsLeft[depth] = (left << 1) | (inMap ? 1 : 0);
      depth++;
      left = children;
      inMap = map;
      if (map) elementRoom[depth] = 0;
    }
  }

  /** Compares with the last key of the same hash, byte by byte: a forged collision only makes a key count as new. */
  function seenBefore(bytes: Uint8Array, position: number, length: number): boolean {
    let hash = length;
    for (let i = 0; i < length; i++) hash = (Math.imul(hash, 31) + bytes[position + i]!) | 0;
    const slot = (hash ^ (hash >>> 15)) & (KEY_SLOTS - 1);
    const other = keyPositions[slot]!;
    const sameLength = keyLengths[slot] === length;
    keyPositions[slot] = position;
    keyLengths[slot] = length;
    if (other < 0 || !sameLength) return false;
    for (let i = 0; i < length; i++) if (bytes[other + i] !== bytes[position + i]) return false;
    return true;
  }

  return prescan;
}

/**
 * V8 keeps values of keys like `"900"` in an array with room for half as many again, unless the key is further away
 * than a fixed gap.
 */
function roomForElement(bytes: Uint8Array, position: number, length: number, room: number): number {
  let index = 0;
  for (let i = 0; i < length; i++) {
    const digit = bytes[position + i]! - 0x30;
    if (digit < 0 || digit > 9) return room;
    index = index * 10 + digit;
  }
  return index < room || index >= room + ELEMENTS_GAP ? room : index + (index >> 1) + 16;
}

function uint32(bytes: Uint8Array, position: number): number {
  return (
    bytes[position]! * 0x1000000 + ((bytes[position + 1]! << 16) | (bytes[position + 2]! << 8) | bytes[position + 3]!)
  );
}
