import type { LimitResult } from '../limit-result.ts';
import { retryAfterSeconds } from './rate-limit-fields.ts';

/** A problem details object of RFC 9457, to be sent as `application/problem+json` with its status. */
export interface LimitProblem {
  readonly type: string;
  readonly title: string;
  readonly status: 429 | 503;
  readonly detail: string;
  readonly instance?: string;
  /** The names of the policies that deny. */
  readonly 'violated-policies'?: readonly string[];
}

const TYPES = 'https://iana.org/assignments/http-problem-types';

/**
 * What to answer a denied request with: 429, or 503 where nobody counted because Redis is away, which is no fault of the
 * client's.
 *
 * @param options.instance A URI of this occurrence, such as the path of the request.
 */
export function limitProblem(result: LimitResult, options: { readonly instance?: string } = {}): LimitProblem {
  const { instance } = options;
  const where = instance === undefined ? {} : { instance };
  const seconds = retryAfterSeconds(result);
  const detail = seconds === undefined ? 'Repeating the request is of no use.' : `Try again in ${seconds} s.`;
  if (result.source === 'closed') {
    const type = `${TYPES}#temporary-reduced-capacity`;
    return { type, title: 'Requests cannot be counted at the moment', status: 503, detail, ...where };
  }
  const violated = result.policies.filter(({ retryAfterMs }) => retryAfterMs > 0).map(({ name }) => name);
  if (violated.length === 0) {
    const type = `${TYPES}#abnormal-usage-detected`;
    return { type, title: 'Requests are blocked', status: 429, detail, ...where };
  }
  const type = `${TYPES}#quota-exceeded`;
  return { type, title: 'Too many requests', status: 429, detail, ...where, 'violated-policies': violated };
}
