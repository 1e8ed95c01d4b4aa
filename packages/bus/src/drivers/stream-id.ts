import { busError } from '../errors.ts';
import type { Position } from './driver.ts';

/** The highest sequence number that Redis takes. */
const MOST = 2n ** 64n - 1n;
const ID = /^(\d{1,15})-(\d{1,20})$/;
const POSITION = /^(\d{1,15}-\d{1,20})(?:@(\d{1,15}))?$/;

/** Whether an id is behind another one in a stream. */
export function isBehind(id: string, other: string): boolean {
  const [a, b] = [parts(id), parts(other)];
  return a.ms === b.ms ? a.sequence > b.sequence : a.ms > b.ms;
}

function parts(id: string): { readonly ms: bigint; readonly sequence: bigint } {
  const [, ms = '0', sequence = '0'] = ID.exec(id) ?? [];
  return { ms: BigInt(ms), sequence: BigInt(sequence) };
}

/** A place as users store it: the id, and how many entries came up to it. */
export function formatPosition({ id, count }: Position): string {
  return count === undefined ? id : `${id}@${count}`;
}

/** @throws {TierkitError} `ERR_BUS_POSITION` */
export function parsePosition(text: unknown): Position {
  const match = typeof text === 'string' ? POSITION.exec(text) : null;
  if (match === null || parts(match[1] as string).sequence > MOST)
    throw busError('ERR_BUS_POSITION', `${JSON.stringify(String(text).slice(0, 60))} is no position of an event`);
  return { id: match[1] as string, count: match[2] === undefined ? undefined : Number(match[2]) };
}
