import { inject, it, expect } from 'vitest';
it('has a redis', () => {
  expect(inject('redisUrl')).toMatch(/^redis:/);
});
