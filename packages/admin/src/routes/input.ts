import { z } from '@hono/zod-openapi';

/** A whole number in a query, within bounds; the default is for a query without it. */
export function wholeNumber(bounds: { readonly max: number; readonly default: number }): z.ZodType<number> {
  return z
    .string()
    .regex(/^\d{1,10}$/)
    .transform(Number)
    .pipe(z.number().int().min(1).max(bounds.max))
    .default(bounds.default)
    .openapi({ type: 'integer', minimum: 1, maximum: bounds.max, default: bounds.default });
}

/** `true` or `false` in a query. */
export const flag = z
  .enum(['true', 'false'])
  .transform((text) => text === 'true')
  .default(false)
  .openapi({ type: 'boolean', default: false });

const name = z.string().min(1).max(4_000);

export const pattern = name
  .max(1_024)
  .openapi({ description: '`*` stands for any characters, `?` for one, a backslash before them for themselves.' });
export const tier = z
  .string()
  .regex(/^[a-zA-Z][\w-]{0,63}$/)
  .openapi({ description: 'A tier, such as `session`.' });
export const scope = name.openapi({
  description: "A scope of the tier, by the id that its users give or as it's listed.",
});
export const key = name.openapi({ description: 'A key as it was listed, or as it was given to `set`.' });
export const tag = z.string().min(1).max(512);
export const cursor = z.string().min(1).max(4_200).openapi({ description: "The last page's, to go on behind it." });
