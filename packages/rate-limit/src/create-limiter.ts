import type { Limiter } from './limiter.ts';
import { resolveLimiterOptions, type LimiterOptions } from './limiter-options.ts';
import type { Policy } from './policy.ts';
import { PolicyLimiter } from './policy-limiter.ts';

/**
 * A limiter over one or several policies. It returns at once and connects in the background.
 *
 * All processes that give it the same name, prefix and policies count together. State is kept per kinds of policies:
 * another limit goes on counting, another kind or number of slots begins anew.
 *
 * @throws {TierkitError} `ERR_LIMIT_OPTIONS` or `ERR_REDIS_OPTIONS`, and nothing is left open
 */
export function createLimiter<const Name extends string, const Plan extends string = never>(
  name: string,
  policies: readonly Policy<Name>[],
  options: LimiterOptions<Name, Plan>,
): Limiter<Name, Plan> {
  const settings = resolveLimiterOptions(name, policies, options);
  const limiter = new PolicyLimiter(name, policies, options, settings);
  if (settings.telemetry !== undefined) limiter.observedBy(settings.telemetry);
  return limiter as unknown as Limiter<Name, Plan>;
}
