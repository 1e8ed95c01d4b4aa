import { randomInt } from 'node:crypto';

const DIGITS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
const LENGTH = 8;

const next = Array.from({ length: LENGTH }, () => randomInt(DIGITS.length));

/**
 * Eight ASCII characters that no other call has returned, in this process or, by all odds, any other: a random start,
 * counted up, which is cheaper than random bytes for each call.
 */
export function freshName(): string {
  let name = '';
  let carry = 1;
  for (let at = 0; at < LENGTH; at++) {
    const digit = ((next[at] ?? 0) + carry) % DIGITS.length;
    carry = carry === 1 && digit === 0 ? 1 : 0;
    next[at] = digit;
    name += DIGITS[digit];
  }
  return name;
}

/** A generation, version or other stamp in Redis that was never used before. @see freshName */
export function freshGeneration(): Buffer {
  return Buffer.from(freshName(), 'latin1');
}
