/** Time as tierkit sees it, so that tests can own it. */
export interface Clock {
  /** Wall-clock time in milliseconds since 1970; it may jump. */
  now(): number;
  /** Milliseconds since some fixed moment; it never goes back and ignores changes of the wall clock. */
  monotonic(): number;
  /** Calls `callback` once after `ms` milliseconds, never sooner, without keeping the process alive. */
  setTimeout(callback: () => void, ms: number): ClockTimer;
}

export interface ClockTimer {
  /** Prevents the call if it has not happened yet. */
  cancel(): void;
}

/** In milliseconds: Node fires a timer that is set for longer at once. */
export const LONGEST_TIMER_MS = 2 ** 31 - 1;

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  setTimeout(callback, ms) {
    const dueMs = performance.now() + ms;
    let timer: NodeJS.Timeout;
    const wait = (leftMs: number): void => {
      timer = setTimeout(fire, Math.min(Math.ceil(leftMs), LONGEST_TIMER_MS));
      timer.unref();
    };
    // Node counts in whole milliseconds, and may be early by parts of one.
    const fire = (): void => {
      const leftMs = dueMs - performance.now();
      if (leftMs > 0) wait(leftMs);
      else callback();
    };
    wait(ms);
    return { cancel: () => clearTimeout(timer) };
  },
};
