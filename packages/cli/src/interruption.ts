import { EXIT, type ExitCode } from './exit-codes.ts';

/** The reason that a run is aborted with. */
export class Interruption extends Error {
  readonly exitCode: ExitCode;

  constructor(signal: 'SIGINT' | 'SIGTERM') {
    super(signal === 'SIGINT' ? 'interrupted' : 'terminated');
    this.name = 'Interruption';
    this.exitCode = signal === 'SIGINT' ? EXIT.interrupted : EXIT.terminated;
  }
}

/**
 * Makes the first signal end the work in an orderly way and the second one end the process at once.
 *
 * @returns a function that removes what it added
 */
export function onSignals(controller: AbortController): () => void {
  const interrupt = (signal: NodeJS.Signals): void => {
    const reason = new Interruption(signal === 'SIGTERM' ? 'SIGTERM' : 'SIGINT');
    if (controller.signal.aborted) process.exit(reason.exitCode);
    controller.abort(reason);
  };
  process.on('SIGINT', interrupt);
  process.on('SIGTERM', interrupt);
  return () => {
    process.off('SIGINT', interrupt);
    process.off('SIGTERM', interrupt);
  };
}
