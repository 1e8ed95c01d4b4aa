import {
  combineTelemetry,
  LONGEST_TIMER_MS,
  parseDuration,
  safeLogger,
  systemClock,
  type Clock,
  type Duration,
  type Logger,
  type Telemetry,
} from '@tierkit/core';
import type { RedisConnection, RedisInput, Subscriber } from '@tierkit/redis';
import { throwFaults } from './errors.ts';
import type { Policy } from './policy.ts';

/** A URL, options, a client or a connection; `'memory'` counts in this process alone. */
export type LimiterBackend = RedisInput | RedisConnection;

export const isConnection = (backend: LimiterBackend): backend is RedisConnection =>
  typeof backend === 'object' && backend !== null && 'execute' in backend && 'masters' in backend;

/** What a limiter does while Redis does not answer: let through, deny, or count in this process alone. */
export type OnUnavailable = 'open' | 'closed' | 'memory';

/** Subjects by name, or a function that knows them. */
export type SubjectList = readonly string[] | ((subject: string) => boolean);

/** Limits by policy, for those that differ. */
export type LimitsByPolicy<Name extends string = string> = { readonly [N in Name]?: number };

export interface LimiterOptions<Name extends string = string, Plan extends string = string> {
  /** Where it is counted. A connection that was made elsewhere is not closed with the limiter. */
  readonly redis: LimiterBackend;
  /** Goes before every key and channel: letters, digits and `_ . : -`. @default '' */
  readonly prefix?: string;
  /** What to do while Redis does not answer; `source` of the result says so. @default 'open' */
  readonly onUnavailable?: OnUnavailable;
  /** How long a call may wait for Redis, at the most. @default the connection's `commandTimeout`, 300 milliseconds */
  readonly timeout?: Duration;
  /** Decides as always and denies nothing: what would have been denied is allowed and `shadowed`. @default false */
  readonly shadow?: boolean;
  /** Subjects that are never limited. */
  readonly allow?: SubjectList;
  /** Subjects that are always denied; goes before `allow`. */
  readonly deny?: SubjectList;
  /** Limits that differ from those of the policies, by the name that calls pass as `plan`. */
  readonly plans?: Readonly<Record<Plan, LimitsByPolicy<Name>>>;
  /** Remembers denials in this process, so that denied traffic does not reach Redis; false for none. */
  readonly shield?: false | { /** @default 10_000 */ readonly maxSubjects?: number };
  /** Hears of what other instances take back; one that is given is shared, and not closed. @default one of its own */
  readonly subscriber?: Subscriber;
  /** How long an `id` is remembered. @default '5m' */
  readonly idTtl?: Duration;
  /** Bounds of counting in this process: the least recently used subject is forgotten. */
  readonly memory?: { /** @default 100_000 */ readonly maxSubjects?: number };
  readonly logger?: Logger;
  /** Who is told numbers, durations and traces: one or several of `@tierkit/telemetry`. @default nobody */
  readonly telemetry?: Telemetry | readonly Telemetry[];
  readonly clock?: Clock;
}

export interface LimiterSettings {
  readonly prefix: string;
  readonly onUnavailable: OnUnavailable;
  /** Undefined for as long as the connection waits. */
  readonly timeoutMs: number | undefined;
  readonly shadow: boolean;
  readonly isAllowed: ((subject: string) => boolean) | undefined;
  readonly isDenied: ((subject: string) => boolean) | undefined;
  readonly plans: Readonly<Record<string, LimitsByPolicy>>;
  /** 0 for none. */
  readonly shieldSubjects: number;
  readonly idTtlMs: number;
  readonly memorySubjects: number;
  readonly logger: Logger;
  readonly telemetry: Telemetry | undefined;
  readonly clock: Clock;
}

const KNOWN: Readonly<Record<keyof LimiterOptions, true>> = {
  redis: true,
  prefix: true,
  onUnavailable: true,
  timeout: true,
  shadow: true,
  allow: true,
  deny: true,
  plans: true,
  shield: true,
  subscriber: true,
  idTtl: true,
  memory: true,
  logger: true,
  telemetry: true,
  clock: true,
};

const PREFIX = /^[\w.:-]*$/;
const MOST_SUBJECTS = 10_000_000;
const MOST_POLICIES = 8;

/** @throws {TierkitError} `ERR_LIMIT_OPTIONS` naming every fault; what `redis` may be is checked as it is used */
export function resolveLimiterOptions(
  name: unknown,
  policies: readonly Policy[],
  options: LimiterOptions,
): LimiterSettings {
  const faults: string[] = [];
  const expect = (holds: boolean, fault: string): void => void (holds || faults.push(fault));
  const given: Readonly<Record<string, unknown>> =
    typeof options === 'object' && options !== null ? { ...options } : {};
  for (const option of Object.keys(given)) expect(Object.hasOwn(KNOWN, option), `${option} is not an option`);
  expect(typeof name === 'string' && name !== '', 'a limiter needs a name');
  expect(given['redis'] !== undefined && given['redis'] !== '', "redis must say where to count, or 'memory'");
  const { prefix = '', onUnavailable = 'open', shadow = false, shield, plans = {} } = options ?? {};
  expect(typeof prefix === 'string' && PREFIX.test(prefix), 'prefix may hold letters, digits and _ . : -');
  expect(['open', 'closed', 'memory'].includes(onUnavailable), "onUnavailable is 'open', 'closed' or 'memory'");
  expect(typeof shadow === 'boolean', 'shadow must be true or false');
  policyFaults(policies, expect);
  planFaults(plans, policies, expect);
  const duration = (option: 'timeout' | 'idTtl', fallbackMs: number): number => {
    try {
      return given[option] === undefined
        ? fallbackMs
        : parseDuration(given[option] as Duration, option, { maxMs: LONGEST_TIMER_MS });
    } catch (error) {
      faults.push((error as Error).message);
      return fallbackMs;
    }
  };
  const subjects = (section: unknown, option: string, fallback: number): number => {
    const most = (section as { maxSubjects?: unknown } | undefined)?.maxSubjects ?? fallback;
    const fits = Number.isSafeInteger(most) && Number(most) > 0 && Number(most) <= MOST_SUBJECTS;
    expect(fits, `${option}.maxSubjects must be a whole number from 1 to ${MOST_SUBJECTS}`);
    return Number(most);
  };
  const settings: LimiterSettings = {
    prefix,
    onUnavailable,
    timeoutMs: given['timeout'] === undefined ? undefined : duration('timeout', 0),
    shadow,
    isAllowed: listed(given['allow'], 'allow', expect),
    isDenied: listed(given['deny'], 'deny', expect),
    plans,
    shieldSubjects: shield === false ? 0 : subjects(shield, 'shield', 10_000),
    idTtlMs: duration('idTtl', 300_000),
    memorySubjects: subjects(given['memory'], 'memory', 100_000),
    logger: safeLogger(options?.logger),
    telemetry: combineTelemetry(options?.telemetry),
    clock: options?.clock ?? systemClock,
  };
  throwFaults('ERR_LIMIT_OPTIONS', 'createLimiter', faults);
  return settings;
}

type Expect = (holds: boolean, fault: string) => void;

function policyFaults(policies: readonly Policy[], expect: Expect): void {
  const list = Array.isArray(policies) ? policies : [];
  expect(list.length > 0 && list.length <= MOST_POLICIES, `policies must be a list of 1 to ${MOST_POLICIES}`);
  expect(
    list.every((policy: Partial<Policy> | null) => typeof policy === 'object' && policy?.algorithm !== undefined),
    'policies are made by fixedWindow, slidingWindow, tokenBucket and gcra',
  );
  const names = list.map((policy: Partial<Policy> | null) => policy?.name);
  expect(new Set(names).size === names.length, 'policies of the same kind need a name each');
  expect(!names.includes('block'), "a policy cannot be called 'block'");
}

function planFaults(plans: unknown, policies: readonly Policy[], expect: Expect): void {
  if (typeof plans !== 'object' || plans === null) return expect(false, 'plans must be an object');
  for (const [plan, limits] of Object.entries(plans)) {
    for (const fault of limitFaults(limits, policies)) expect(false, `plan ${plan}: ${fault}`);
  }
}

/** What is wrong with limits that stand in for those of the policies. */
export function limitFaults(limits: unknown, policies: readonly Policy[]): string[] {
  if (typeof limits !== 'object' || limits === null) return ['limits must be an object'];
  const list: readonly (Partial<Policy> | null)[] = Array.isArray(policies) ? policies : [];
  return Object.entries(limits).flatMap(([name, limit]: [string, unknown]) => {
    const policy = list.find((policy) => policy?.name === name);
    if (policy === undefined) return [`there is no policy ${name}`];
    const most = policy?.mostLimit ?? 0;
    const fits = limit === undefined || (Number.isSafeInteger(limit) && Number(limit) > 0 && Number(limit) <= most);
    return fits ? [] : [`${name} must be a whole number from 1 to ${most}`];
  });
}

function listed(list: unknown, option: string, expect: Expect): ((subject: string) => boolean) | undefined {
  if (list === undefined) return undefined;
  if (typeof list === 'function') return list as (subject: string) => boolean;
  const names: readonly unknown[] = Array.isArray(list) ? list : [undefined];
  expect(
    names.every((subject) => typeof subject === 'string'),
    `${option} must be a list of subjects or a function`,
  );
  const set = new Set(names);
  return (subject) => set.has(subject);
}
