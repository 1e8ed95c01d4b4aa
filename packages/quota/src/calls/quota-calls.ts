import { randomUUID } from 'node:crypto';
import {
  encodeSegment,
  LONGEST_TIMER_MS,
  parseDuration,
  TierkitError,
  type Duration,
  type EventCounter,
} from '@tierkit/core';
import { checkAmounts, checkCallOptions, checkLimits, limitChanges, type AmountRules } from './check-amounts.ts';
import type { Asked } from './charge-report.ts';
import type { CheckedMetric } from '../definitions/checked-metrics.ts';
import { LONGEST_MS, type CheckedOptions } from '../definitions/check-options.ts';
import { closedError, quotaError } from '../errors.ts';
import type { AddOptions, HistoryOptions, ReserveOptions, ResetOptions, Subject, SubjectOptions } from '../quota.ts';
import { Decisions, type Ask, type Party } from './decisions.ts';
import { checkRange, readHistory } from './history.ts';
import { RequestRows } from './request-rows.ts';
import type { Decision, HeldRow, Overflow, QuotaStore } from '../stores/quota-store.ts';
import type { Uncounted } from '../usage.ts';

type AnyAmounts = Readonly<Record<string, number>>;
type CallOptions = AddOptions<AnyAmounts, unknown>;

interface Settling {
  readonly party: Party;
  readonly id: string;
  readonly verb: 'commit' | 'release';
  readonly held: readonly HeldRow[];
  /** When the call began, if it did before this. */
  readonly since?: number;
}

/** The calls of a quota, before they have the types of its metrics. */
export class QuotaCalls {
  readonly #options: CheckedOptions;
  readonly #store: QuotaStore;
  readonly #rows: RequestRows;
  readonly #decisions: Decisions;
  #closing: Promise<void> | undefined;

  /** @param counter of decisions, by operation and result */
  constructor(options: CheckedOptions, store: QuotaStore, counter: EventCounter) {
    this.#options = options;
    this.#store = store;
    this.#rows = new RequestRows(options);
    this.#decisions = new Decisions(options, store, counter);
  }

  async add(subject: Subject, amounts: unknown, options: CallOptions = {}): Promise<object> {
    this.#check(options);
    const id = options.id === undefined ? '' : encodeSegment(options.id, 'id');
    const ask = await this.#asking(subject, amounts, options, { signed: true });
    return this.#unlessAway(async () => {
      const { decision, ...report } = await this.#decisions.decide(ask.party, { verb: 'add', id, ...ask });
      return { source: this.#store.source, ...outcome(decision), ...report };
    });
  }

  async reserve(
    subject: Subject,
    amounts: unknown,
    options: ReserveOptions<AnyAmounts, unknown> = {},
  ): Promise<object> {
    this.#check(options);
    const given = options.id ?? randomUUID();
    const id = encodeSegment(given, 'id');
    const { ttl } = options;
    const holdTtlMs =
      ttl === undefined ? this.#options.holdTtlMs : parseDuration(ttl, 'ttl', { minMs: 100, maxMs: LONGEST_MS });
    const ask = await this.#asking(subject, amounts, options, {});
    return this.#unlessAway(
      async () => {
        const { decision, ...report } = await this.#decisions.decide(ask.party, {
          verb: 'reserve',
          id,
          holdTtlMs,
          ...ask,
        });
        const charge = { source: this.#store.source, ...outcome(decision), ...report };
        if (!charge.allowed) return charge;
        const held = decision.items.flatMap(({ metric, granted, rows }) =>
          rows.map(({ period, window }) => ({ metric, period, window, amount: granted })),
        );
        const settle = (verb: 'commit' | 'release', actual?: unknown, how?: CallOptions): Promise<object> =>
          this.#unlessAway(() =>
            this.#settle({ party: ask.party, id, verb, held }, actual, { ...how, ...limitsOf(options) }),
          );
        const hold = {
          id: String(given),
          expiresMs: decision.holdExpiresMs,
          commit: async (actual?: unknown, how: CallOptions = {}) => {
            this.#check(how);
            return settle('commit', actual, how);
          },
          release: () => settle('release'),
        };
        return { ...charge, hold };
      },
      (uncounted) => {
        const settle = (): Promise<object> => this.#unlessAway(async () => uncounted);
        return { ...uncounted, hold: { id: String(given), expiresMs: 0, commit: settle, release: settle } };
      },
    );
  }

  async settle(
    verb: 'commit' | 'release',
    subject: Subject,
    givenId: Subject,
    actual?: unknown,
    options: CallOptions = {},
  ): Promise<object> {
    this.#check(options);
    const id = encodeSegment(givenId, 'id');
    const party = await this.#party(subject, options, verb === 'commit');
    return this.#unlessAway(async () => {
      const since = this.#store.moment;
      const held = await this.#store.findHold(party.encoded, id, since);
      return this.#settle({ party, id, verb, held: held ?? [], since }, actual, options);
    });
  }

  async set(subject: Subject, gauges: unknown, options: SubjectOptions<AnyAmounts, unknown> = {}): Promise<object> {
    this.#check(options);
    const ask = await this.#asking(subject, gauges, options, { gauges: true });
    const { usage } = await this.#decisions.decide(ask.party, { verb: 'set', id: '', ...ask });
    return usage;
  }

  async usage(subject: Subject, options: SubjectOptions<AnyAmounts, unknown> = {}): Promise<object> {
    this.#check(options);
    const nothing = Object.fromEntries([...this.#options.metrics.keys()].map((name) => [name, 0]));
    const ask = await this.#asking(subject, nothing, options, {});
    const { usage } = await this.#decisions.decide(ask.party, { verb: 'read', id: '', ...ask });
    return usage;
  }

  async reset(subject: Subject, options: ResetOptions<unknown> = {}): Promise<object> {
    this.#check(options);
    const counted = [...this.#options.metrics.values()].filter(({ periods }) => periods.length > 0);
    const { metrics: names = counted.map(({ name }) => name) } = options;
    if (!Array.isArray(names)) throw quotaError('ERR_QUOTA_AMOUNTS', 'metrics must be a list of names');
    const nothing = Object.fromEntries(names.map((name) => [name, 0]));
    const ask = await this.#asking(subject, nothing, options, { counted: true });
    const { usage } = await this.#decisions.decide(ask.party, { verb: 'reset', id: '', ...ask });
    return usage;
  }

  async history(subject: Subject, options: HistoryOptions<unknown>): Promise<object> {
    this.#check(options);
    const range = checkRange(this.#options.metrics, options, this.#decisions.now());
    const { encoded, plan } = await this.#party(subject, options, true);
    return readHistory(this.#store, this.#rows, { ...range, subject: encoded, plan });
  }

  async setLimits(subject: Subject, limits: unknown): Promise<void> {
    this.#requireOpen();
    const encoded = encodeSegment(subject, 'subject');
    await this.#store.storeLimits(encoded, limitChanges(this.#options.metrics, limits));
  }

  async ready(timeout: Duration = 5_000): Promise<void> {
    this.#requireOpen();
    await this.#store.ready(parseDuration(timeout, 'timeout', { maxMs: LONGEST_TIMER_MS }));
  }

  close(): Promise<void> {
    return (this.#closing ??= this.#close());
  }

  async #close(): Promise<void> {
    await this.#decisions.settled();
    await this.#store.close();
  }

  #check(options: unknown): void {
    this.#requireOpen();
    checkCallOptions(options);
  }

  #requireOpen(): void {
    if (this.#closing !== undefined) throw closedError();
  }

  async #asking(
    subject: Subject,
    amounts: unknown,
    options: CallOptions,
    rules: AmountRules,
  ): Promise<Pick<Ask, 'asked' | 'itemsAt'> & { readonly party: Party }> {
    const asked = checkAmounts(this.#options.metrics, amounts, rules);
    checkLimits(this.#options.metrics, options.limits);
    const overflow = checkOverflow(options.overflow);
    const party = await this.#party(subject, options, this.#rows.needsPlan);
    const itemOf = ({ metric, amount }: (typeof asked)[number]): Asked => {
      return { metric: metric.name, amount, overflow: overflow ?? metric.overflow };
    };
    const { limits } = options;
    return {
      party,
      asked: asked.map(itemOf),
      itemsAt: (instantMs) =>
        asked.map((each) =>
          Object.assign(itemOf(each), { rows: this.#rows.current(each.metric, instantMs, party.plan, limits) }),
        ),
    };
  }

  async #settle({ party, id, verb, held, since }: Settling, actual: unknown, options: CallOptions): Promise<object> {
    const { metrics } = this.#options;
    const ofHold = new Map(held.map(({ metric, amount }) => [metric, amount]));
    const given = new Map(
      actual === undefined
        ? []
        : checkAmounts(metrics, actual, { none: true }).map(({ metric, amount }) => [metric.name, amount]),
    );
    const strange = [...given.keys()].filter((name) => held.length > 0 && !ofHold.has(name));
    if (strange.length > 0) throw quotaError('ERR_QUOTA_AMOUNTS', `Amounts: the hold has no ${strange.join(', ')}`);
    checkLimits(metrics, options.limits);
    const overflow = checkOverflow(options.overflow);
    const items = [...ofHold].map(([name, own]) => {
      const metric = metrics.get(name) ?? unlimited(name);
      const rows = held.filter((row) => row.metric === name);
      return {
        metric: name,
        own,
        amount: verb === 'release' ? 0 : (given.get(name) ?? own),
        overflow: overflow ?? metric.overflow,
        rows: this.#rows.held(metric, rows, party.plan, options.limits),
      };
    });
    const { decision, ...report } = await this.#decisions.decide(
      party,
      { verb, id, asked: items, itemsAt: () => items },
      since,
    );
    const { status } = decision;
    const settled = status === 'counted' ? verb : status === 'repeated' ? 'commit' : undefined;
    return {
      source: this.#store.source,
      status: settled === undefined ? status : settled === 'commit' ? 'committed' : 'released',
      repeated: status === 'repeated' || status === 'released',
      ...report,
    };
  }

  async #party(subject: Subject, { plan }: { readonly plan?: unknown }, wanted = this.#rows.needsPlan): Promise<Party> {
    const encoded = encodeSegment(subject, 'subject');
    const name = String(subject);
    const known = plan ?? (wanted && this.#rows.needsPlan ? await this.#options.plan?.(name) : undefined);
    return { name, encoded, plan: known };
  }

  async #unlessAway(call: () => Promise<object>, otherwise = (uncounted: Uncounted): object => uncounted) {
    try {
      this.#requireOpen();
      return await call();
    } catch (error) {
      if (this.#options.onUnavailable !== 'allow' || !isUnavailable(error)) throw error;
      return otherwise({ source: 'none', allowed: true, repeated: false, error });
    }
  }
}

function outcome({ status }: Decision): { readonly allowed: boolean; readonly repeated: boolean } {
  return { allowed: status !== 'refused', repeated: status === 'repeated' };
}

function limitsOf({ limits }: CallOptions): CallOptions {
  return limits === undefined ? {} : { limits };
}

function checkOverflow(overflow: Overflow | undefined): Overflow | undefined {
  if (overflow === undefined || ['reject', 'partial', 'allow'].includes(overflow)) return overflow;
  throw quotaError('ERR_QUOTA_AMOUNTS', "overflow is 'reject', 'partial' or 'allow'");
}

/** For a hold of a metric that a later release no longer has. */
function unlimited(name: string): CheckedMetric {
  return { name, periods: [], limit: Infinity, overflow: 'allow', thresholds: [] };
}

function isUnavailable(error: unknown): error is TierkitError<'ERR_QUOTA_UNAVAILABLE'> {
  return error instanceof TierkitError && error.code === 'ERR_QUOTA_UNAVAILABLE';
}
