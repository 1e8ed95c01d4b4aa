import * as z from 'zod';
import { durable, ephemeral } from '../../src/index.ts';

/** The channels of the tests of groups. */
export const channels = {
  orders: durable<number>(),
  'jobs:{project}': durable<string>(),
  short: durable<number>({ maxLength: 100 }),
  checked: durable(z.object({ n: z.number() })),
  news: ephemeral<string>(),
};

/** The same stream as `checked`, for a publisher that knows another schema. */
export const unchecked = { checked: durable() };

export const range = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, i) => from + i);
