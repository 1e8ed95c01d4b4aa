/** Requests that were admitted, each at some moment between two. */
export interface Admitted {
  readonly sentMs: number;
  readonly answeredMs: number;
  readonly cost: number;
}

/** The most that was surely admitted within one window: what was sent after its beginning and answered before its end. */
export function worstWindow(admitted: readonly Admitted[], windowMs: number): number {
  let worst = 0;
  for (const { sentMs: fromMs } of admitted) {
    let units = 0;
    for (const { sentMs, answeredMs, cost } of admitted) {
      if (sentMs >= fromMs && answeredMs < fromMs + windowMs) units += cost;
    }
    worst = Math.max(worst, units);
  }
  return worst;
}
