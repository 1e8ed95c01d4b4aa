import { combineTelemetry } from './combine-telemetry.ts';
import type { MetricSource, Telemetry } from './telemetry.ts';

/**
 * Has a source observed by whoever wants to know, as the last step of making something.
 *
 * @param undo closes what was made, if a telemetry refuses the source
 * @returns a function that ends it
 */
export function observeOrUndo(
  telemetry: Telemetry | readonly Telemetry[] | undefined,
  source: MetricSource,
  undo: () => unknown,
): () => void {
  try {
    return combineTelemetry(telemetry)?.observe(source) ?? (() => {});
  } catch (error) {
    void undo();
    throw error;
  }
}
