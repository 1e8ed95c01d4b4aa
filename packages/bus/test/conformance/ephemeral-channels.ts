import * as z from 'zod';
import { ephemeral } from '../../src/index.ts';

/** The channels of the tests of events that reach those who listen. */
export const channels = {
  news: ephemeral<{ n: number } | string>(),
  'user:{id}': ephemeral<string>(),
  'user:{id}:seen': ephemeral<number>(),
  'user:all': ephemeral<string>(),
  checked: ephemeral(z.object({ at: z.string().transform((text) => text.length), n: z.number() })),
};
