/** Time as tierkit sees it, so that tests can own it. */
export interface Clock {
  /** Wall-clock time in milliseconds since 1970; it may jump. */
  now(): number;
  /** Milliseconds since some fixed moment; it never goes back and ignores changes of the wall clock. */
  monotonic(): number;
  /** Calls `callback` once after `ms` milliseconds, without keeping the process alive. */
  setTimeout(callback: () => void, ms: number): ClockTimer;
}

export interface ClockTimer {
  /** Prevents the call if it has not happened yet. */
  cancel(): void;
}

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  setTimeout(callback, ms) {
    const timer = setTimeout(callback, ms);
    timer.unref();
    return { cancel: () => clearTimeout(timer) };
  },
};
