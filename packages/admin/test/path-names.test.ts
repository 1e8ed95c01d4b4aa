import { fixedWindow } from '@tierkit/rate-limit';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { nameOfSegment, pathSegment } from '../src/path-name.ts';
import { ask, setup, type Setup } from './support.ts';

let own: Setup;
beforeAll(async () => (own = await setup('memory')));
afterAll(() => own.close());

const DOTS = ['.', '..', '...', '%2E', '%2E%2E', '%2e', '.%2E'];

it.each(DOTS)('a key, a lock and a subject named %s have an address, each its own', async (name) => {
  const { kit } = own;
  const limiter = kit.rateLimit(`api ${name}`, [fixedWindow({ limit: 9, per: '1h' })]);
  for (const [index, other] of DOTS.entries()) {
    await kit.global.set(other, { of: other });
    await limiter.consume(other, { cost: index + 1 });
  }
  const at = async (path: string, method = 'GET') => (await ask(own.admin, method, `/api/v1/${path}`)).body;
  const segment = pathSegment(name);
  expect(await at(`cache/key/${segment}`)).toMatchObject({ value: { of: name } });
  const subject = `limiters/${pathSegment(limiter.name)}/subjects/${segment}`;
  expect(await at(subject)).toMatchObject({ remaining: 8 - DOTS.indexOf(name) });
  const lock = await kit.locks.acquire(name);
  expect(await at(`locks/${segment}`)).toMatchObject({ holders: [{ token: String(lock.token) }] });
  await lock.release();

  await at(subject, 'DELETE');
  await at(`cache/key/${segment}`, 'DELETE');
  const left = await Promise.all(DOTS.map((other) => kit.global.get(other)));
  expect(left.map((value) => value === undefined)).toEqual(DOTS.map((other) => other === name));
  const standing = await Promise.all(DOTS.map((other) => limiter.peek(other)));
  expect(standing.map(({ remaining }) => remaining)).toEqual(
    DOTS.map((other, index) => (other === name ? 9 : 8 - index)),
  );
  await limiter.close();
});

it('every name comes out of its address as it was', () => {
  const name = fc.oneof(
    fc.string({ unit: fc.constantFrom('.', '%', '2', '5', 'E', 'e', '/'), minLength: 1, maxLength: 9 }),
    fc.string({ unit: 'grapheme', minLength: 1 }),
  );
  fc.assert(
    fc.property(name, (given) => {
      const { pathname } = new URL(`http://host/a/${pathSegment(given)}`);
      expect(nameOfSegment(decodeURIComponent(pathname.slice(3)))).toBe(given);
    }),
  );
});
