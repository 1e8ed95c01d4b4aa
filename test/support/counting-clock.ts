import { systemClock, type Clock, type ClockTimer } from '@tierkit/core';

/** The system's clock, which knows how many of its timers are set. */
export function countingClock(): Clock & { readonly timers: number } {
  const timers = new Set<ClockTimer>();
  return {
    ...systemClock,
    get timers() {
      return timers.size;
    },
    setTimeout(call, ms) {
      const own = systemClock.setTimeout(() => {
        timers.delete(timer);
        call();
      }, ms);
      const timer: ClockTimer = {
        cancel() {
          timers.delete(timer);
          own.cancel();
        },
      };
      timers.add(timer);
      return timer;
    },
  };
}
