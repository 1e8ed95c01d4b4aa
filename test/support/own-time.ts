const STEP_MS = 5;

/**
 * How long `call` waited, in milliseconds, without the time in which this process could not run: what a bound on waiting
 * means on a machine that is busy with other things.
 */
export async function ownTimeMs(call: () => Promise<unknown>): Promise<number> {
  let heldUpMs = 0;
  let dueMs = performance.now() + STEP_MS;
  const look = (): void => {
    const nowMs = performance.now();
    heldUpMs += Math.max(0, nowMs - dueMs);
    dueMs = nowMs + STEP_MS;
  };
  const control = setInterval(look, STEP_MS);
  const beganMs = performance.now();
  try {
    await call();
    look();
    return performance.now() - beganMs - heldUpMs;
  } finally {
    clearInterval(control);
  }
}
