export { createLimiter } from './create-limiter.ts';
export type { LimitErrorCode } from './errors.ts';
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
