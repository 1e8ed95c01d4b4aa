export { clientAddress, type ClientAddressOptions, type TrustedProxies } from './address/client-address.ts';
export { normalizeAddress } from './address/normalize-address.ts';
export { createLimiter } from './create-limiter.ts';
export type { LimitErrorCode } from './errors.ts';
export { createGuard, type Guard, type GuardAttempt, type GuardSubject, type GuardVerdict } from './guard/guard.ts';
export type { GuardOptions, GuardRule } from './guard/guard-options.ts';
export { limitProblem, type LimitProblem } from './http/limit-problem.ts';
export { rateLimitFields, retryAfterSeconds, type RateLimitFieldsOptions } from './http/rate-limit-fields.ts';
export type { CallOptions, ConsumeOptions, Limiter, WaitOptions } from './limiter.ts';
export type { LimiterBackend, LimiterOptions, LimitsByPolicy, OnUnavailable, SubjectList } from './limiter-options.ts';
export type { LimitResult, LimitSource, PolicyStatus } from './limit-result.ts';
export {
  fixedWindow,
  gcra,
  slidingWindow,
  tokenBucket,
  type FixedWindowOptions,
  type GcraOptions,
  type Policy,
  type SlidingWindowOptions,
  type TokenBucketOptions,
} from './policy.ts';
