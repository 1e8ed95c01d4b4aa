import { isSpanContextValid, TraceFlags } from '@opentelemetry/api';
import { assert, constantFrom, integer, oneof, property, string } from 'fast-check';
import { expect, test } from 'vitest';
import { contextOf, headersOf } from '../src/opentelemetry/trace-headers.ts';

const HEX = Array.from('0123456789abcdef');
const hex = (length: number) => string({ unit: constantFrom(...HEX), minLength: length, maxLength: length });

test('what is written is read again', () => {
  assert(
    property(hex(32), hex(16), integer({ min: 0, max: 255 }), (traceId, spanId, traceFlags) => {
      const written = headersOf({ traceId, spanId, traceFlags });
      const read = contextOf(written);
      if (/^0*$/.test(traceId) || /^0*$/.test(spanId)) expect(read).toBeUndefined();
      else expect(read).toEqual({ traceId, spanId, traceFlags, isRemote: true });
    }),
  );
});

test('whatever a header holds, the result is a valid context or none', () => {
  const traceparent = oneof(
    string(),
    hex(55),
    string({ unit: constantFrom('0', 'a', 'f', '-'), minLength: 50, maxLength: 60 }),
  );
  assert(
    property(traceparent, string({ maxLength: 600 }), (traceparent, tracestate) => {
      const read = contextOf({ traceparent, tracestate });
      expect(read === undefined || isSpanContextValid(read)).toBe(true);
    }),
  );
});

const [trace, span] = ['1'.repeat(32), '2'.repeat(16)];

test.each([
  [`00-${trace}-${span}-01`, TraceFlags.SAMPLED],
  [`00-${trace}-${span}-00`, TraceFlags.NONE],
  [`01-${trace}-${span}-01-later`, TraceFlags.SAMPLED],
])('%s is a context', (traceparent, traceFlags) => {
  expect(contextOf({ traceparent })).toEqual({ traceId: trace, spanId: span, traceFlags, isRemote: true });
});

test.each([
  undefined,
  '',
  `ff-${trace}-${span}-01`,
  `00-${trace}-${span}-01-more`,
  `00-${trace.toUpperCase()}-${'A'.repeat(16)}-01`,
  `00-${'0'.repeat(32)}-${span}-01`,
  `00-${trace}-${'0'.repeat(16)}-01`,
  `01-${trace}-${span}-01-${'x'.repeat(300)}`,
  42 as unknown as string,
])('%s is none', (traceparent) => {
  expect(contextOf({ ...(traceparent !== undefined && { traceparent }) })).toBeUndefined();
});

test('a tracestate that is too long is left behind', () => {
  const traceparent = `00-${trace}-${span}-01`;
  expect(contextOf({ traceparent, tracestate: 'a=1' })?.traceState?.serialize()).toBe('a=1');
  expect(contextOf({ traceparent, tracestate: `a=${'x'.repeat(600)}` })).not.toHaveProperty('traceState');
});
