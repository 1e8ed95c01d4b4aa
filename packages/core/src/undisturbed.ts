/**
 * Calls something of the user's that only listens, such as a logger: that it throws, or returns a promise that rejects, is
 * its own affair and changes nothing for who called.
 *
 * @param failed is told of the failure. @default nobody: whoever reports failures may be the one that failed
 */
export function undisturbed(listener: () => unknown, failed: (error: unknown) => void = ignore): void {
  try {
    const result = listener();
    if (result instanceof Promise) result.catch(failed);
  } catch (error) {
    failed(error);
  }
}

function ignore(): void {}
