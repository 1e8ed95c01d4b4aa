import type { Clock, ClockTimer } from './clock.ts';

/** A clock that stands still until a test moves it. */
export interface ManualClock extends Clock {
  /**
   * Moves both clocks on by `ms`. Timers that fall due run in the order of their time, those of one time in the order
   * in which they were set, each seeing the time that it was set for; so do timers that they set.
   */
  advance(ms: number): void;
  /** Like `advance`, but lets promises and other work of the event loop settle before, between and after the timers. */
  advanceAsync(ms: number): Promise<void>;
  /** Sets the wall clock alone, as an operator would; timers and `monotonic` do not notice. */
  setNow(ms: number): void;
  /** How many timers are waiting. */
  readonly pendingTimers: number;
}

interface Pending {
  readonly dueMs: number;
  readonly callback: () => void;
}

/** @param startMs What the wall clock shows at first; `monotonic` begins at 0. @default 0 */
export function createManualClock(startMs = 0): ManualClock {
  let monotonicMs = 0;
  let wallOffsetMs = startMs;
  const timers = new Set<Pending>();

  function nextDue(untilMs: number): Pending | undefined {
    let next: Pending | undefined;
    for (const timer of timers) {
      if (timer.dueMs <= untilMs && (next === undefined || timer.dueMs < next.dueMs)) next = timer;
    }
    return next;
  }

  function run(timer: Pending): void {
    timers.delete(timer);
    monotonicMs = Math.max(monotonicMs, timer.dueMs);
    timer.callback();
  }

  return {
    now: () => wallOffsetMs + monotonicMs,
    monotonic: () => monotonicMs,
    setTimeout(callback, ms): ClockTimer {
      const timer = { dueMs: monotonicMs + Math.max(0, ms), callback };
      timers.add(timer);
      return { cancel: () => void timers.delete(timer) };
    },
    advance(ms) {
      const untilMs = monotonicMs + checked(ms);
      for (let timer = nextDue(untilMs); timer !== undefined; timer = nextDue(untilMs)) run(timer);
      monotonicMs = Math.max(monotonicMs, untilMs);
    },
    async advanceAsync(ms) {
      const untilMs = monotonicMs + checked(ms);
      await settle();
      for (let timer = nextDue(untilMs); timer !== undefined; timer = nextDue(untilMs)) {
        run(timer);
        await settle();
      }
      monotonicMs = Math.max(monotonicMs, untilMs);
      await settle();
    },
    setNow(ms) {
      wallOffsetMs = ms - monotonicMs;
    },
    get pendingTimers() {
      return timers.size;
    },
  };
}

function checked(ms: number): number {
  if (ms >= 0 && Number.isFinite(ms)) return ms;
  throw new RangeError(`a clock moves on by a finite number of milliseconds, not ${ms}`);
}

function settle(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}
