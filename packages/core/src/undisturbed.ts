/**
 * Calls something of the user's that only listens, such as a logger: that it throws, or returns a promise that rejects, is
 * its own affair and changes nothing for who called.
 */
export function undisturbed(listener: () => unknown): void {
  try {
    const result = listener();
    if (result instanceof Promise) result.catch(ignore);
  } catch {
    // Whoever reports failures has failed: there is nobody left to tell.
  }
}

function ignore(): void {}
