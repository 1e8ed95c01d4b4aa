import fc from 'fast-check';
import { expect, it } from 'vitest';
import { encodeEnvelope, ENVELOPE_HEADER_BYTES, parseEnvelope } from '@tierkit/core';

const generation = Buffer.from('0123456789abcdef', 'hex');
const fields = { expiresAtMs: 1_700_000_000_000.25, freshUntilMs: 1_699_999_999_000, generation };
const payload = Buffer.from('payload');

it('keeps every field', () => {
  const bytes = fc.uint8Array({ maxLength: 300 }).map((array) => Buffer.from(array));
  fc.assert(
    fc.property(
      fc.double({ noDefaultInfinity: true, noNaN: true }),
      fc.double({ noDefaultInfinity: true, noNaN: true }),
      fc.uint8Array({ minLength: 8, maxLength: 8 }),
      fc.integer({ min: 0, max: 3 }),
      bytes,
      bytes,
      (expiresAtMs, freshUntilMs, version, flags, meta, payload) => {
        const envelope = { expiresAtMs, freshUntilMs, flags, generation: Buffer.from(version), meta };
        expect(parseEnvelope(encodeEnvelope(envelope, payload))).toEqual({ ...envelope, payload });
      },
    ),
  );
});

it('has the layout that the scripts write', () => {
  const expected = Buffer.concat([
    Buffer.from([0xc1, 1, 0]),
    Buffer.from('4278bcfe56800400', 'hex'),
    Buffer.from('4278bcfe56418000', 'hex'),
    generation,
    Buffer.from([0, 2]),
    Buffer.from('mm'),
    payload,
  ]);
  const bytes = encodeEnvelope({ ...fields, meta: Buffer.from('mm') }, payload);
  expect(bytes.toString('hex')).toBe(expected.toString('hex'));
  expect(ENVELOPE_HEADER_BYTES).toBe(encodeEnvelope(fields, Buffer.alloc(0)).length);
});

it('leaves another version or an unknown flag alone, and calls the rest corrupt', () => {
  const good = encodeEnvelope(fields, payload);
  const changed = (at: number, byte: number): Buffer => {
    const copy = Buffer.from(good);
    copy[at] = byte;
    return copy;
  };
  expect(parseEnvelope(changed(1, 2))).toBe('unknown');
  expect(parseEnvelope(changed(1, 2).subarray(0, 5))).toBe('unknown');
  for (let bit = 2; bit < 8; bit++) expect(parseEnvelope(changed(2, 1 << bit))).toBe('unknown');
  expect(parseEnvelope(changed(0, 0xc0))).toBe('corrupt');
  expect(parseEnvelope(changed(28, 8))).toBe('corrupt');
  for (const at of [3, 11]) {
    for (const time of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]) {
      const copy = Buffer.from(good);
      copy.writeDoubleBE(time, at);
      expect(parseEnvelope(copy)).toBe('corrupt');
    }
  }
  for (let length = 0; length < ENVELOPE_HEADER_BYTES; length++) {
    expect(parseEnvelope(good.subarray(0, length))).toBe('corrupt');
  }
  expect(parseEnvelope(good.subarray(0, ENVELOPE_HEADER_BYTES))).toMatchObject({ payload: Buffer.alloc(0) });
});

it('never throws', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 60 }), fc.boolean(), (bytes, magic) => {
      const parsed = parseEnvelope(Buffer.from(magic ? [0xc1, 1, 0, ...bytes] : bytes));
      expect(typeof parsed === 'object' || parsed === 'corrupt' || parsed === 'unknown').toBe(true);
    }),
  );
});

it.each([
  ['a time that is not finite', { ...fields, expiresAtMs: Number.NaN }],
  ['a time that is not finite', { ...fields, freshUntilMs: Number.POSITIVE_INFINITY }],
  ['an unknown flag', { ...fields, flags: 4 }],
  ['a short generation', { ...fields, generation: Buffer.alloc(7) }],
  ['a long meta', { ...fields, meta: Buffer.alloc(65_536) }],
])('does not write %s', (_what, wrong) => {
  expect(() => encodeEnvelope(wrong, payload)).toThrow(expect.objectContaining({ code: 'ERR_ENVELOPE_INVALID' }));
});
