import type { Clock, ClockTimer } from '@tierkit/core';
import type { CacheFigures, TierStats } from '../stats.ts';

/** What was counted in one minute. */
export interface MinuteFigures {
  readonly hits: number;
  /** Reads that neither level answered, those that waited for another caller's load included. */
  readonly misses: number;
  readonly loads: number;
  /** Milliseconds that the loaders took. */
  readonly loadMs: number;
}

/** A tier, or what of it was done under a name, minute by minute. */
export interface NamedHistory {
  readonly tier: string;
  /** Absent for the whole tier. */
  readonly name?: string;
  /** The oldest first; minutes in which nothing was counted are zeros. */
  readonly minutes: readonly MinuteFigures[];
}

export interface HitHistory {
  /** When the last minute ended, in milliseconds since 1970 by this process's clock. */
  readonly untilMs: number;
  readonly series: readonly NamedHistory[];
}

const MINUTE_MS = 60_000;
/** Minutes that are kept. */
const KEPT = 60;
/** Tiers and names that are told apart: with 60 minutes of four numbers each about a megabyte and a half. */
const MAX_SERIES = 500;
/** Half of what is known of keys fades in half an hour. */
const FADE = 0.5 ** (1 / 30);

interface Series {
  readonly tier: string;
  readonly name: string | undefined;
  last: MinuteFigures;
  /** Those before its first are zeros. */
  readonly minutes: MinuteFigures[];
}

const NOTHING: MinuteFigures = { hits: 0, misses: 0, loads: 0, loadMs: 0 };

/** What the counters of an instance were minute by minute, for the last hour: told from their differences, by a timer. */
export class MinuteByMinute {
  readonly #clock: Clock;
  readonly #counters: () => Readonly<Record<string, TierStats>>;
  readonly #onMinute: (fade: number) => void;
  readonly #series = new Map<string, Series>();
  #timer: ClockTimer | undefined;
  #minutes = 0;
  #untilMs: number;

  constructor(clock: Clock, counters: () => Readonly<Record<string, TierStats>>, onMinute: (fade: number) => void) {
    this.#clock = clock;
    this.#counters = counters;
    this.#onMinute = onMinute;
    this.#untilMs = clock.now();
    this.#wait();
  }

  read(): HitHistory {
    const length = Math.min(this.#minutes, KEPT);
    const series = Array.from(this.#series.values(), ({ tier, name, minutes }) => ({
      tier,
      ...(name === undefined ? {} : { name }),
      minutes: [...Array.from({ length: length - minutes.length }, () => NOTHING), ...minutes],
    }));
    return { untilMs: this.#untilMs, series };
  }

  close(): void {
    this.#timer?.cancel();
  }

  #wait(): void {
    this.#timer = this.#clock.setTimeout(() => {
      this.#minute();
      this.#wait();
    }, MINUTE_MS);
  }

  #minute(): void {
    this.#minutes++;
    this.#untilMs = this.#clock.now();
    for (const [tier, { names, ...figures }] of Object.entries(this.#counters())) {
      this.#note(tier, undefined, figures);
      for (const [name, named] of Object.entries(names)) this.#note(tier, name, named);
    }
    this.#onMinute(FADE);
  }

  #note(tier: string, name: string | undefined, figures: CacheFigures): void {
    const key = name === undefined ? tier : `${tier}\n${name}`;
    let series = this.#series.get(key);
    if (series === undefined) {
      if (this.#series.size >= MAX_SERIES) return;
      series = { tier, name, last: NOTHING, minutes: [] };
      this.#series.set(key, series);
    }
    const now = {
      hits: figures.l1Hits + figures.l2Hits,
      misses: figures.misses + figures.shared,
      loads: figures.loads,
      loadMs: figures.loadMs,
    };
    const { last, minutes } = series;
    minutes.push({
      hits: now.hits - last.hits,
      misses: now.misses - last.misses,
      loads: now.loads - last.loads,
      loadMs: now.loadMs - last.loadMs,
    });
    if (minutes.length > KEPT) minutes.shift();
    series.last = now;
  }
}
