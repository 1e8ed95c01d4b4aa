import type { LimitResult, LimitSource, PolicyStatus } from './limit-result.ts';
import type { Policy } from './policy.ts';
import type { Decision, Parameters } from './stores/limit-store.ts';

/** What to wait where nobody knows: about as long as a connection takes to find Redis back. */
const BLIND_RETRY_MS = 1_000;

/** What a decision of a store means to the caller. */
export function resultOf(
  decision: Decision,
  policies: readonly Policy[],
  parameters: Parameters,
  source: LimitSource,
  shadow: boolean,
): LimitResult {
  const { allowed, blockedUs, readings } = decision;
  const statuses: PolicyStatus[] = [];
  let decider: PolicyStatus | undefined;
  for (let i = 0; i < readings.length; i++) {
    const { remaining, resetUs, retryUs } = readings[i]!;
    const status: PolicyStatus = {
      name: policies[i]?.name ?? '',
      limit: parameters[i]?.[0] ?? 0,
      remaining,
      resetMs: Math.ceil(resetUs / 1_000),
      retryAfterMs: retryUs < 0 ? Infinity : Math.ceil(retryUs / 1_000),
    };
    statuses.push(status);
    if (decider === undefined || decidesOver(status, decider)) decider = status;
  }
  const blockedMs = Math.ceil(blockedUs / 1_000);
  const blocks = blockedMs > 0 && !allowed && blockedMs >= (decider?.retryAfterMs ?? 0);
  return {
    allowed: allowed || shadow,
    limit: decider?.limit ?? 0,
    remaining: decider?.remaining ?? 0,
    resetMs: decider?.resetMs ?? 0,
    retryAfterMs: allowed ? 0 : Math.max(blockedMs, decider?.retryAfterMs ?? 0),
    policy: blocks ? 'block' : decider?.name,
    source,
    shadowed: !allowed && shadow,
    policies: statuses,
  };
}

/** Of those that deny, the one that does so for longer; else the one that has less left. */
function decidesOver(one: PolicyStatus, other: PolicyStatus): boolean {
  if (one.retryAfterMs !== other.retryAfterMs) return one.retryAfterMs > other.retryAfterMs;
  return one.remaining < other.remaining;
}

/** The result of a call that no policy was asked about. */
export function uncounted(allowed: boolean, source: LimitSource, shadow: boolean): LimitResult {
  const units = allowed ? Infinity : 0;
  const retryAfterMs = allowed ? 0 : source === 'closed' ? BLIND_RETRY_MS : Infinity;
  return {
    allowed: allowed || shadow,
    limit: units,
    remaining: units,
    resetMs: 0,
    retryAfterMs,
    policy: undefined,
    source,
    shadowed: !allowed && shadow,
    policies: [],
  };
}

/** The same denial as it stands some time later. */
export function later(denial: LimitResult, passedMs: number): LimitResult {
  const less = (ms: number): number => Math.max(0, Math.ceil(ms - passedMs));
  return {
    ...denial,
    resetMs: less(denial.resetMs),
    retryAfterMs: less(denial.retryAfterMs),
    source: 'shield',
    policies: denial.policies.map(({ name, limit, remaining, resetMs, retryAfterMs }) => ({
      name,
      limit,
      remaining,
      resetMs: less(resetMs),
      retryAfterMs: less(retryAfterMs),
    })),
  };
}
