import type { LimitResult, PolicyStatus } from '../limit-result.ts';
import type { Policy } from '../policy.ts';

export interface RateLimitFieldsOptions {
  /** The limiter's policies, for the lengths of their windows. */
  readonly policies?: readonly Policy[];
  /**
   * `'draft'` for `RateLimit` and `RateLimit-Policy` of draft-ietf-httpapi-ratelimit-headers, `'legacy'` for `X-RateLimit-Limit`,
   * `-Remaining` and `-Reset`, in seconds since 1970. @default 'draft'
   */
  readonly form?: 'draft' | 'legacy' | 'both';
  /** Now, in milliseconds since 1970, which legacy clients are told times by. @default the system's clock */
  readonly nowMs?: number;
}

/**
 * The header fields of a response that say how a limit stands; of a denial with `Retry-After`.
 *
 * Numbers are whole, seconds rounded up. Of a denial `RateLimit` names just the policies that deny, so that `Retry-After` is
 * never earlier than one of its times. A result that nobody counted has no fields but `Retry-After`.
 */
export function rateLimitFields(result: LimitResult, options: RateLimitFieldsOptions = {}): Record<string, string> {
  const { policies = [], form = 'draft', nowMs = Date.now() } = options;
  const fields: Record<string, string> = {};
  const counted = result.policies.length > 0;
  if (form !== 'legacy' && counted) {
    const windows = new Map(policies.map(({ name, perMs }) => [name, perMs]));
    fields['RateLimit-Policy'] = list(
      result.policies,
      ({ name, limit }) => `"${name}";q=${limit}${window(windows.get(name))}`,
    );
    const denying = result.policies.filter(({ retryAfterMs }) => retryAfterMs > 0);
    const shown = result.retryAfterMs > 0 && denying.length > 0 ? denying : result.policies;
    fields['RateLimit'] = list(shown, ({ name, remaining, ...status }) => `"${name}";r=${remaining}${time(status)}`);
  }
  if (form !== 'draft' && counted) {
    fields['X-RateLimit-Limit'] = String(result.limit);
    fields['X-RateLimit-Remaining'] = String(result.remaining);
    fields['X-RateLimit-Reset'] = String(Math.ceil((nowMs + result.resetMs) / 1_000));
  }
  const seconds = retryAfterSeconds(result);
  if (seconds !== undefined) fields['Retry-After'] = String(seconds);
  return fields;
}

/** Whole seconds, 1 at the least, after which a denied call may be repeated; undefined if it was allowed or never will be. */
export function retryAfterSeconds({ allowed, retryAfterMs }: LimitResult): number | undefined {
  return allowed || !Number.isFinite(retryAfterMs) ? undefined : Math.max(1, Math.ceil(retryAfterMs / 1_000));
}

function list(policies: readonly PolicyStatus[], item: (status: PolicyStatus) => string): string {
  return policies.map(item).join(', ');
}

// A window of less than a second, or of parts of one, cannot be stated.
function window(perMs: number | undefined): string {
  return perMs === undefined || perMs % 1_000 !== 0 ? '' : `;w=${perMs / 1_000}`;
}

function time({ resetMs, retryAfterMs }: Pick<PolicyStatus, 'resetMs' | 'retryAfterMs'>): string {
  const ms = retryAfterMs > 0 ? retryAfterMs : resetMs;
  return Number.isFinite(ms) ? `;t=${Math.ceil(ms / 1_000)}` : '';
}
