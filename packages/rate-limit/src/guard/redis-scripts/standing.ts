import { defineScript } from '@tierkit/redis';
import type { Standing } from '../guard-store.ts';
import { foundCount } from './found-count.ts';

export const standing = defineScript({
  name: 'guard-standing',
  keys: ['count'],
  args: { failures: 'integer', longest: 'integer' },
  reply: standingOf,
  lua: `${foundCount}
local counted, left = found(count, longest)
if counted >= failures then return { left, 0 } end
return { 0, failures - counted }
`,
});

export function standingOf(raw: unknown): Standing {
  const [blockedMs, left] = raw as [number, number];
  return { blockedMs, left };
}
