import { parseDuration, safeLogger, systemClock, type Clock, type Duration, type Logger } from '@tierkit/core';
import type { LimiterBackend } from '../limiter-options.ts';
import { throwFaults } from '../errors.ts';

/** When one kind of subject is blocked. */
export interface GuardRule {
  /** The failure, in a row, that blocks. A whole number. */
  readonly failures: number;
  /** Failures are in a row if the first of them is no longer ago than this. Whole seconds. */
  readonly within: Duration;
  /** How long the first block lasts, the second and so on; the last one goes for all that follow. Whole seconds each. */
  readonly blocks: readonly Duration[];
  /** How long ago the first block may be for the next one to be longer. Whole seconds. @default '1d' */
  readonly forget?: Duration;
}

export interface GuardOptions {
  /** Where it is counted: as of a limiter. */
  readonly redis: LimiterBackend;
  /** Goes before every key: letters, digits and `_ . : -`. @default '' */
  readonly prefix?: string;
  /** @default 5 failures within an hour; blocks of a minute, 5 minutes, an hour, a day */
  readonly account?: GuardRule;
  /** More than of an account, as many people may share an address. @default 50 within a day; an hour, a day */
  readonly address?: GuardRule;
  /** What to answer while Redis does not: let try, or not. @default 'open' */
  readonly onUnavailable?: 'open' | 'closed';
  /** How many bits of an IPv6 address count. @default 64 */
  readonly ipv6Prefix?: number;
  /** Bounds of counting in this process. */
  readonly memory?: { /** @default 100_000 */ readonly maxSubjects?: number };
  readonly logger?: Logger;
  readonly clock?: Clock;
}

export interface GuardRuleSettings {
  readonly failures: number;
  readonly withinSeconds: number;
  readonly blockSeconds: readonly number[];
  readonly forgetSeconds: number;
}

export interface GuardSettings {
  readonly prefix: string;
  readonly account: GuardRuleSettings;
  readonly address: GuardRuleSettings;
  readonly onUnavailable: 'open' | 'closed';
  readonly ipv6Prefix: number;
  readonly memorySubjects: number;
  readonly logger: Logger;
  readonly clock: Clock;
}

const ACCOUNT: GuardRule = { failures: 5, within: '1h', blocks: ['1m', '5m', '1h', '1d'] };
const ADDRESS: GuardRule = { failures: 50, within: '1d', blocks: ['1h', '1d'] };
const RULE: ReadonlySet<string> = new Set(['failures', 'within', 'blocks', 'forget']);
const KNOWN: Readonly<Record<keyof GuardOptions, true>> = {
  redis: true,
  prefix: true,
  account: true,
  address: true,
  onUnavailable: true,
  ipv6Prefix: true,
  memory: true,
  logger: true,
  clock: true,
};

/** @throws {TierkitError} `ERR_LIMIT_OPTIONS` naming every fault */
export function resolveGuardOptions(name: unknown, options: GuardOptions): GuardSettings {
  const faults: string[] = [];
  const given: Partial<GuardOptions> = typeof options === 'object' && options !== null ? options : {};
  const expect = (holds: boolean, fault: string): void => void (holds || faults.push(fault));
  for (const option of Object.keys(given)) expect(Object.hasOwn(KNOWN, option), `${option} is not an option`);
  const { prefix = '', onUnavailable = 'open', ipv6Prefix = 64, memory } = given;
  const memorySubjects = memory?.maxSubjects ?? 100_000;
  expect(typeof name === 'string' && name !== '', 'a guard needs a name');
  expect(given.redis !== undefined && given.redis !== '', "redis must say where to count, or 'memory'");
  expect(typeof prefix === 'string' && /^[\w.:-]*$/.test(prefix), 'prefix may hold letters, digits and _ . : -');
  expect(onUnavailable === 'open' || onUnavailable === 'closed', "onUnavailable is 'open' or 'closed'");
  expect(isWhole(ipv6Prefix, 32, 128), 'ipv6Prefix must be a whole number from 32 to 128');
  expect(isWhole(memorySubjects, 1, 10_000_000), 'memory.maxSubjects must be a whole number from 1 to 10000000');
  const rule = (kind: 'account' | 'address', fallback: GuardRule): GuardRuleSettings =>
    ruleSettings(kind, given[kind] ?? fallback, expect);
  const settings: GuardSettings = {
    prefix,
    account: rule('account', ACCOUNT),
    address: rule('address', ADDRESS),
    onUnavailable,
    ipv6Prefix,
    memorySubjects,
    logger: safeLogger(given.logger),
    clock: given.clock ?? systemClock,
  };
  throwFaults('ERR_LIMIT_OPTIONS', 'createGuard', faults);
  return settings;
}

function ruleSettings(
  kind: string,
  rule: GuardRule,
  expect: (holds: boolean, fault: string) => void,
): GuardRuleSettings {
  // Shorter ones would never expire in Redis, and parts of a second are dropped by whoever counts.
  const seconds = (duration: Duration, option: string): number => {
    try {
      const ms = parseDuration(duration, `${kind}.${option}`, { minMs: 1_000 });
      expect(ms % 1_000 === 0, `${kind}.${option} must be whole seconds`);
      return ms / 1_000;
    } catch (error) {
      expect(false, (error as Error).message);
      return 1;
    }
  };
  for (const option of Object.keys(rule)) expect(RULE.has(option), `${kind}.${option} is not an option`);
  const blocks: readonly Duration[] = Array.isArray(rule.blocks) ? rule.blocks : [];
  expect(isWhole(rule.failures, 1, 1_000_000), `${kind}.failures must be a whole number from 1 to 1000000`);
  expect(blocks.length > 0 && blocks.length <= 32, `${kind}.blocks must be a list of 1 to 32 durations`);
  const settings = {
    failures: rule.failures,
    withinSeconds: seconds(rule.within, 'within'),
    blockSeconds: blocks.map((block, i) => seconds(block, `blocks[${i}]`)),
    forgetSeconds: seconds(rule.forget ?? '1d', 'forget'),
  };
  const longest = Math.max(...settings.blockSeconds);
  expect(longest <= settings.forgetSeconds, `${kind}.forget must be as long as the longest block at least`);
  return settings;
}

function isWhole(value: unknown, least: number, most: number): boolean {
  return Number.isSafeInteger(value) && Number(value) >= least && Number(value) <= most;
}
