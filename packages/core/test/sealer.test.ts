import { constants, brotliCompressSync } from 'node:zlib';
import { randomBytes } from 'node:crypto';
import { inspect } from 'node:util';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { createSealer, PAYLOAD_COMPRESSED, PAYLOAD_ENCRYPTED, type KeyringOptions, type Sealed } from '@tierkit/core';

const MIB = 1_048_576;
const first = Buffer.alloc(32, 1);
const second = Buffer.alloc(32, 2);
const keyring = (current: string, keys: KeyringOptions['keys']): KeyringOptions => ({ keys, current });
const sealer = createSealer({ maxBytes: MIB, compressFromBytes: 1_000, keyring: keyring('a', { a: first }) });
const text = Buffer.from('the same words again and again, '.repeat(500));
const corrupt: { asymmetricMatch(other: unknown): boolean } = expect.objectContaining({ code: 'ERR_VALUE_CORRUPT' });

it('gives back what was sealed, whatever it was', () => {
  fc.assert(
    fc.property(
      fc.uint8Array({ maxLength: 3_000 }),
      fc.integer({ min: 1, max: 40 }),
      fc.boolean(),
      fc.string(),
      (bytes, times, sensitive, place) => {
        const plain = Buffer.concat(Array.from({ length: times }, () => bytes));
        const sealed = sealer.seal(plain, place, sensitive);
        expect(sealed.payload.length).toBeLessThanOrEqual(plain.length + (sensitive ? 30 : 0));
        expect((sealed.flags & PAYLOAD_ENCRYPTED) !== 0).toBe(sensitive);
        expect(sealer.open(sealed, place)).toEqual(plain);
      },
    ),
  );
});

it('compresses from its threshold on, and only what gains by it', () => {
  expect(sealer.seal(text.subarray(0, 999), 'k', false)).toEqual({ flags: 0, payload: text.subarray(0, 999) });
  const sealed = sealer.seal(text, 'k', false);
  expect(sealed.flags).toBe(PAYLOAD_COMPRESSED);
  expect(sealed.payload.length).toBeLessThan(text.length / 20);
  const noise = randomBytes(20_000);
  expect(sealer.seal(noise, 'k', false)).toEqual({ flags: 0, payload: noise });
  expect(createSealer({ maxBytes: MIB }).seal(text, 'k', false)).toEqual({ flags: 0, payload: text });
  expect(createSealer({ maxBytes: MIB }).open(sealed, 'k')).toEqual(text);
});

it('takes what does not decompress to its end, or to too much, for corrupt', () => {
  const { payload } = sealer.seal(text, 'k', false);
  const open = (bytes: Buffer) => (): unknown => sealer.open({ flags: PAYLOAD_COMPRESSED, payload: bytes }, 'k');
  expect(open(Buffer.alloc(0))).toThrow(corrupt);
  expect(open(randomBytes(100))).toThrow(corrupt);
  expect(open(payload.subarray(0, -1))).toThrow(corrupt);
  expect(open(Buffer.concat([payload, Buffer.of(0)]))).toThrow(corrupt);
  const exact = brotliCompressSync(Buffer.alloc(MIB));
  expect(open(exact)()).toHaveLength(MIB);
  expect(open(brotliCompressSync(Buffer.alloc(MIB + 1)))).toThrow(corrupt);
});

it.each([
  [
    'a gibibyte of zeros',
    () => brotliCompressSync(Buffer.alloc(2 ** 30), { params: { [constants.BROTLI_PARAM_QUALITY]: 1 } }),
  ],
  [
    'the largest window',
    () =>
      brotliCompressSync(randomBytes(4_000_000), {
        params: { [constants.BROTLI_PARAM_LGWIN]: 24, [constants.BROTLI_PARAM_QUALITY]: 5 },
      }),
  ],
  ['a window beyond the standard', () => Buffer.from('11fc0f7ffffffffffff0', 'hex')],
  ['noise', () => randomBytes(8_000_000)],
])('bounds what %s can cost', (_what, make) => {
  const strict = createSealer({ maxBytes: 8 * MIB - 1 });
  const payload = make();
  const costs = Array.from({ length: 3 }, () => {
    const before = process.memoryUsage();
    const startMs = process.cpuUsage().user;
    try {
      strict.open({ flags: PAYLOAD_COMPRESSED, payload }, 'k');
    } catch (error) {
      expect(error).toEqual(corrupt);
    }
    const after = process.memoryUsage();
    return {
      ms: (process.cpuUsage().user - startMs) / 1_000,
      bytes: after.heapUsed + after.external - before.heapUsed - before.external,
    };
  });
  expect(Math.min(...costs.map(({ ms }) => ms))).toBeLessThan(50);
  expect(Math.max(...costs.map(({ bytes }) => bytes))).toBeLessThan(64 * MIB);
});

it('binds what it encrypts to its place, its flags and its key', () => {
  const one = sealer.seal(Buffer.from('one'), 'k:1', true);
  const two = sealer.seal(text, 'k:2', true);
  expect(sealer.open(one, 'k:1')).toEqual(Buffer.from('one'));
  expect(() => sealer.open(one, 'k:2')).toThrow(corrupt);
  expect(() => sealer.open(two, 'k:1')).toThrow(corrupt);
  expect(() => sealer.open({ ...two, flags: PAYLOAD_ENCRYPTED }, 'k:2')).toThrow(corrupt);
  expect(() => sealer.open({ ...one, flags: PAYLOAD_ENCRYPTED | PAYLOAD_COMPRESSED }, 'k:1')).toThrow(corrupt);
  const elsewhere = createSealer({ maxBytes: MIB, realm: 'other', keyring: keyring('a', { a: first }) });
  expect(() => elsewhere.open(one, 'k:1')).toThrow(corrupt);
  const sameKey = createSealer({ maxBytes: MIB, keyring: keyring('a', { a: first, b: first }) });
  const renamed = Buffer.from(one.payload);
  renamed[1] = 'b'.charCodeAt(0);
  expect(() => sameKey.open({ ...one, payload: renamed }, 'k:1')).toThrow(corrupt);
});

it('refuses every change of a byte and every cut', () => {
  const sealed = sealer.seal(Buffer.from('a value of some length'), 'k', true);
  const open = (payload: Buffer): unknown => {
    try {
      return sealer.open({ ...sealed, payload }, 'k');
    } catch (error) {
      return error;
    }
  };
  for (let at = 0; at < sealed.payload.length; at++) {
    const changed = Buffer.from(sealed.payload);
    changed[at] = (changed[at] ?? 0) ^ 0x10;
    // Byte 1 is the name of the key: another one is not corrupt, for it may be a key of tomorrow.
    if (at === 1) expect(open(changed)).toBe('unknown');
    else expect(open(changed)).toEqual(corrupt);
  }
  for (let length = 0; length < sealed.payload.length; length++) {
    expect(open(sealed.payload.subarray(0, length))).toEqual(corrupt);
  }
  expect(open(Buffer.concat([sealed.payload, Buffer.of(0)]))).toEqual(corrupt);
});

it('encrypts the same value differently each time', () => {
  const seals = Array.from({ length: 100 }, () => sealer.seal(Buffer.from('v'), 'k', true).payload.toString('hex'));
  expect(new Set(seals.map((hex) => hex.slice(4, 28))).size).toBe(100);
});

it('reads what older keys encrypted, and does not know keys that it was not given', () => {
  const old = sealer.seal(text, 'k', true);
  const rotated = createSealer({ maxBytes: MIB, keyring: keyring('b', { a: first, b: second.toString('base64') }) });
  expect(rotated.open(old, 'k')).toEqual(text);
  const fresh = rotated.seal(text, 'k', true);
  expect(sealer.open(fresh, 'k')).toBe('unknown');
  expect(createSealer({ maxBytes: MIB }).open(fresh, 'k')).toBe('unknown');
  const another = createSealer({ maxBytes: MIB, keyring: keyring('b', { b: first }) });
  expect(() => another.open(fresh, 'k')).toThrow(corrupt);
});

it('never throws anything but its own error on hostile bytes', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 80 }), fc.integer({ min: 0, max: 3 }), (bytes, flags) => {
      const sealed: Sealed = { flags, payload: Buffer.from(bytes) };
      try {
        const opened = sealer.open(sealed, 'k');
        expect(opened === 'unknown' || Buffer.isBuffer(opened)).toBe(true);
      } catch (error) {
        expect(error).toEqual(corrupt);
      }
    }),
  );
});

it('refuses a sensitive value when there is no key', () => {
  const plain = createSealer({ maxBytes: MIB });
  const missing = expect.objectContaining({ code: 'ERR_VALUE_KEY_MISSING' }) as Error;
  sealer.requireKey();
  expect(() => plain.requireKey()).toThrow(missing);
  expect(() => plain.seal(text, 'k', true)).toThrow(missing);
});

const secret = 'c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0c2U';

it.each<[string, KeyringOptions]>([
  ['a short key', keyring('a', { a: first.subarray(1) })],
  ['a short text', keyring('a', { a: secret.slice(1) })],
  ['a text that is not base64', keyring('a', { a: `${secret.slice(0, -1)}!` })],
  ['a key that is neither', keyring('a', { a: 5 as never })],
  ['a missing key', keyring('a', { a: undefined as never })],
  ['a current key that is not there', keyring('b', { a: secret })],
  ['the name of a property for a key', keyring('constructor', { a: secret })],
  ['an empty id', keyring('', { '': secret })],
  ['an id that is too long', keyring('a'.repeat(33), { ['a'.repeat(33)]: secret })],
  ['an id with a space', keyring('a b', { 'a b': secret })],
  ['no keys', { current: 'a' } as never],
  ['nothing', null as never],
])('refuses %s, without telling any key', (_what, wrong) => {
  try {
    createSealer({ maxBytes: MIB, keyring: wrong ?? (0 as never) });
    expect.unreachable();
  } catch (error) {
    expect(error).toMatchObject({ code: 'ERR_KEYRING_INVALID' });
    expect(inspect(error, { depth: 9 })).not.toContain(secret.slice(1, 20));
  }
});

it('shows no key when it is printed', () => {
  const shown = inspect(createSealer({ maxBytes: MIB, keyring: keyring('a', { a: secret }) }), {
    depth: 9,
    showHidden: true,
  });
  expect(shown).not.toContain(secret);
  expect(shown).not.toContain('secret');
});
