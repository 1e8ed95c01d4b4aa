import fc from 'fast-check';
import { expect, test } from 'vitest';
import { groupBySlot, slotOf } from '../src/index.ts';

test.each([
  ['', 0],
  ['123456789', 12_739],
  ['foo', 12_182],
  ['{user1000}.following', slotOf('user1000')],
  ['foo{}{bar}', 8363],
  ['foo{{bar}}zap', slotOf('{bar')],
  ['foo{bar}{zap}', slotOf('bar')],
])('the slot of %j is %d', (key, slot) => {
  expect(slotOf(key)).toBe(slot);
});

test('a string and its bytes have the same slot, that of the tag alone', () => {
  fc.assert(
    fc.property(fc.string(), fc.stringMatching(/^[^{}]+$/), fc.string(), (before, tag, after) => {
      const key = `${before.replaceAll('{', '')}{${tag}}${after}`;
      expect(slotOf(key)).toBe(slotOf(tag));
      expect(slotOf(Buffer.from(key))).toBe(slotOf(key));
    }),
  );
});

test('groups keep the order and lose nothing', () => {
  const groups = groupBySlot(['{a}1', '{b}1', '{a}2']);
  expect([...groups.values()]).toEqual([['{a}1', '{a}2'], ['{b}1']]);
  expect([...groups.keys()]).toEqual([slotOf('a'), slotOf('b')]);
});
