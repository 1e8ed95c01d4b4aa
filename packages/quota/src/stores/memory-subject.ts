import type { Window } from '../periods/windows.ts';
import { MemoryRow, type Counts, type MemoryHold } from './memory-row.ts';
import {
  fingerprint,
  KEEP_MS,
  type Crossing,
  type Decision,
  type HeldRow,
  type Item,
  type ItemState,
  type LimitChange,
  type StoreReply,
  type StoreRequest,
} from './quota-store.ts';

interface Marker {
  readonly state: 'counted' | 'held' | 'settled' | 'released';
  readonly fingerprint: string;
  readonly items: readonly ItemState[];
  readonly expiresMs: number;
}

interface Granted {
  readonly item: Item;
  readonly rows: readonly MemoryRow[];
  readonly amount: number;
}

const MOST = Number.MAX_SAFE_INTEGER;

/** What is kept of one subject. */
export class MemorySubject {
  readonly #limits = new Map<string, number>();
  readonly #gauges = new Map<string, Counts>();
  readonly #windows = new Map<string, { readonly endMs: number; readonly metrics: Map<string, Counts> }>();
  readonly #holds = new Map<string, MemoryHold>();
  readonly #markers = new Map<string, Marker>();

  get empty(): boolean {
    const { size } = this.#limits;
    return size + this.#gauges.size + this.#windows.size + this.#holds.size + this.#markers.size === 0;
  }

  expire(nowMs: number): void {
    for (const [id, hold] of this.#holds) if (hold.expiresMs <= nowMs) this.#holds.delete(id);
    // Those that came first go first, nearly; only as far as there is something to forget.
    for (const [id, { expiresMs }] of this.#markers) {
      if (expiresMs > nowMs) break;
      this.#markers.delete(id);
    }
    for (const [key, { endMs }] of this.#windows) {
      if (endMs + KEEP_MS > nowMs) break;
      this.#windows.delete(key);
    }
  }

  storeLimits(changes: readonly LimitChange[]): void {
    for (const { metric, period, limit } of changes) {
      if (limit === null) this.#limits.delete(`${metric}:${period}`);
      else this.#limits.set(`${metric}:${period}`, limit);
    }
  }

  usedIn(period: string, window: Window, metric: string): number {
    return this.#windows.get(`${period}:${window.startMs}`)?.metrics.get(metric)?.used ?? 0;
  }

  findHold(id: string, nowMs: number): readonly HeldRow[] | undefined {
    const hold = this.#holds.get(id);
    return hold === undefined || hold.expiresMs <= nowMs ? undefined : hold.rows;
  }

  decide(request: StoreRequest, nowMs: number): StoreReply {
    const { verb, id, items } = request;
    const settles = verb === 'commit' || verb === 'release';
    const hold = this.#holds.get(id);
    const earlier = id === '' ? undefined : this.#earlier(request, settles, nowMs);
    if (earlier !== undefined) return earlier;
    if (settles) {
      if (!covers(hold, items)) {
        return { status: 'expired', nowMs, items: [], crossings: [], holdExpiresMs: 0 };
      }
    } else if (items.some(({ rows }) => rows.some(({ window }) => window !== undefined && !within(nowMs, window)))) {
      return { status: 'period', nowMs };
    }

    const granted = items.map((item) => {
      const rows = item.rows.map((row) => this.#row(item.metric, row));
      return { item, rows, amount: grant(request, item, rows, settles ? heldBy(hold, item.metric) : 0) };
    });
    const refused = granted.some(({ amount }) => Number.isNaN(amount));
    const decided = (crossings: readonly Crossing[], holdExpiresMs = 0): Decision => ({
      status: refused ? 'refused' : 'counted',
      nowMs,
      items: granted.map(({ item: { metric }, amount, rows }) => ({
        metric,
        granted: refused ? 0 : amount,
        rows: rows.map((row) => row.state()),
      })),
      crossings,
      holdExpiresMs,
    });
    if (refused || verb === 'read') return decided([]);
    if (verb === 'reset') {
      for (const { rows } of granted) for (const row of rows) row.reset();
      return decided([]);
    }
    if (verb === 'reserve') return this.#reserve(request, nowMs, granted, decided);
    const original = this.#markers.get(id)?.fingerprint ?? '';
    if (settles) this.#holds.delete(id);
    const crossings = granted.flatMap(({ amount, rows }) => rows.flatMap((row) => row.count(amount)));
    const decision = decided(crossings);
    if (id !== '') {
      this.#remember(id, {
        state: verb === 'commit' ? 'settled' : verb === 'release' ? 'released' : 'counted',
        fingerprint: settles ? original : fingerprint(request),
        items: decision.items,
        expiresMs: nowMs + request.idTtlMs,
      });
    }
    return decision;
  }

  #reserve(
    request: StoreRequest,
    nowMs: number,
    granted: readonly Granted[],
    decided: (crossings: readonly Crossing[], holdExpiresMs: number) => Decision,
  ): Decision {
    const expiresMs = nowMs + request.holdTtlMs;
    const rows = granted.flatMap(({ item, amount }) =>
      item.rows.map(({ period, window }) => ({ metric: item.metric, period, window, amount })),
    );
    this.#holds.set(request.id, { expiresMs, rows });
    const decision = decided([], expiresMs);
    this.#remember(request.id, {
      state: 'held',
      fingerprint: fingerprint(request),
      items: decision.items,
      expiresMs: expiresMs + request.idTtlMs,
    });
    return decision;
  }

  #remember(id: string, marker: Marker): void {
    this.#markers.delete(id);
    this.#markers.set(id, marker);
  }

  #earlier(request: StoreRequest, settles: boolean, nowMs: number): StoreReply | undefined {
    const marker = this.#markers.get(request.id);
    if (marker === undefined || marker.expiresMs <= nowMs) return undefined;
    const { state, items } = marker;
    const holdExpiresMs = this.#holds.get(request.id)?.expiresMs ?? 0;
    // No answer is ever lost here, so what was reached was told.
    const answer = { nowMs, items, crossings: [], holdExpiresMs };
    if (settles) {
      if (state === 'released') return { ...answer, status: 'released' };
      return state === 'settled' ? { ...answer, status: 'repeated' } : undefined;
    }
    if (state === 'released' || (state === 'held' && holdExpiresMs === 0)) return undefined;
    if (marker.fingerprint !== fingerprint(request)) return { status: 'conflict', nowMs };
    return { ...answer, status: 'repeated' };
  }

  #row(metric: string, row: Item['rows'][number]): MemoryRow {
    const stored = row.fixed ? undefined : this.#limits.get(`${metric}:${row.period}`);
    const counts = (): Counts => (row.window === undefined ? this.#gauge(metric) : this.#window(row, metric));
    const found =
      row.window === undefined
        ? this.#gauges.get(metric)
        : this.#windows.get(`${row.period}:${row.window.startMs}`)?.metrics.get(metric);
    return new MemoryRow({ metric, row, limit: stored ?? row.limit, found, counts, holds: this.#holds });
  }

  #gauge(metric: string): Counts {
    const counts = this.#gauges.get(metric) ?? { used: 0, told: 0 };
    this.#gauges.set(metric, counts);
    return counts;
  }

  #window({ period, window }: Item['rows'][number], metric: string): Counts {
    const key = `${period}:${window?.startMs}`;
    const found = this.#windows.get(key) ?? { endMs: window?.endMs ?? 0, metrics: new Map<string, Counts>() };
    this.#windows.set(key, found);
    const counts = found.metrics.get(metric) ?? { used: 0, told: 0 };
    found.metrics.set(metric, counts);
    return counts;
  }
}

function within(nowMs: number, { startMs, endMs }: Window): boolean {
  return startMs <= nowMs && nowMs < endMs;
}

/** @returns what may be counted, NaN to refuse */
function grant({ verb }: StoreRequest, item: Item, rows: readonly MemoryRow[], own: number): number {
  const { amount, overflow } = item;
  const used = rows[0]?.used ?? 0;
  if (verb === 'read') return amount;
  if (verb === 'set') return amount - used;
  if (amount < 0) return Math.max(amount, -used);
  const room = Math.min(
    ...rows.map((row) => Math.min(MOST, overflow === 'allow' ? MOST : row.limit) - (row.used + row.held - own)),
  );
  if (amount <= own || amount <= room) return amount;
  const granted = Math.max(0, Math.min(amount, own), room);
  const refused = overflow !== 'partial' || (granted === 0 && verb !== 'commit');
  return refused ? Number.NaN : granted;
}

function heldBy(hold: MemoryHold | undefined, metric: string): number {
  return hold?.rows.find((row) => row.metric === metric)?.amount ?? 0;
}

/** Whether the rows of the items are those of the hold. */
function covers(hold: MemoryHold | undefined, items: readonly Item[]): boolean {
  if (hold === undefined) return false;
  const held = new Set(hold.rows.map((row) => place(row.metric, row)));
  const asked = items.flatMap(({ metric, rows }) => rows.map((row) => place(metric, row)));
  return asked.length === held.size && asked.every((row) => held.has(row));
}

function place(metric: string, { period, window }: Pick<HeldRow, 'period' | 'window'>): string {
  return `${metric}:${period}:${window?.startMs ?? 0}`;
}
