// Run with --expose-gc: prints what decoding each shape costs at the largest size that a default codec admits.
import { createCodec } from '@tierkit/core';
import { createPrescan, type Prescan } from '../../src/prescan.ts';
import { taggedDepth } from '../../src/tagged-value.ts';
import { SHAPES } from './hostile-shapes.ts';

export interface Cost {
  readonly shape: string;
  readonly bytes: number;
  readonly parts: number;
  readonly refused: boolean;
  /** Processor time: a busy machine is no attack. */
  readonly ms: number;
  /** Heap and memory outside of it that the value and the garbage made for it take. */
  readonly heapMb: number;
}

const MAX_BYTES = 8_388_608;
const MAX_NODES = 500_000;
const DEPTH = taggedDepth(64);

for (const [shape, build] of Object.entries(SHAPES)) {
  const make = (parts: number): Buffer => Buffer.from(build(parts), 'hex');
  let sampled = 2000;
  let sample = make(sampled);
  // Small values are counted otherwise.
  if (sample.length < 100_000) sample = make((sampled = Math.ceil((sampled * 100_000) / sample.length)));
  const byNodes = (MAX_NODES / nodesOf(sample)) * sampled;
  const byBytes = (MAX_BYTES / sample.length) * sampled;
  let parts = Math.floor(Math.min(byNodes, byBytes));
  let bytes = make(parts);
  while (!admitted(bytes, MAX_NODES)) bytes = make((parts = Math.floor(parts * 0.97)));
  process.stdout.write(`${JSON.stringify(measure(shape, bytes, parts))}\n`);
}

function nodesOf(bytes: Buffer): number {
  let low = 1;
  let high = 2 ** 30;
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    if (verdict(bytes, middle) === 'sound') high = middle;
    else low = middle + 1;
  }
  return low;
}

function admitted(bytes: Buffer, maxNodes: number): boolean {
  return bytes.length <= MAX_BYTES && verdict(bytes, maxNodes) === 'sound';
}

function verdict(bytes: Buffer, maxNodes: number): ReturnType<Prescan> {
  const prescan = createPrescan({ maxDepth: DEPTH, maxNodes });
  return bytes[0] === 0xc1 ? prescan(bytes, 1, DEPTH) : prescan(bytes, 0, 64);
}

function measure(shape: string, bytes: Buffer, parts: number): Cost {
  const codec = createCodec();
  let ms = Number.POSITIVE_INFINITY;
  let heapMb = 0;
  let refused = false;
  for (let round = 0; round < 3; round++) {
    globalThis.gc?.();
    const before = used();
    const start = process.cpuUsage();
    let value: unknown;
    try {
      value = codec.decode(bytes);
    } catch {
      refused = true;
    }
    const { user, system } = process.cpuUsage(start);
    ms = Math.min(ms, (user + system) / 1000);
    heapMb = Math.max(heapMb, (used() - before) / 1e6);
    if (value === Symbol.for('never')) throw new Error('unreachable');
  }
  return { shape, bytes: bytes.length, parts, refused, ms, heapMb };
}

function used(): number {
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}
