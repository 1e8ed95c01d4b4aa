import type { JSX } from 'preact';

export interface BarProps {
  readonly label: string;
  readonly used: number;
  /** Null for no limit, and then there is no bar. */
  readonly limit: number | null;
  /** What is said of both. */
  readonly text: string;
}

/** How much of a limit is used. */
export function Bar({ label, used, limit, text }: BarProps): JSX.Element {
  return (
    <div class="bar">
      <span>{label}</span>
      <span class="number">{text}</span>
      {limit !== null && <meter min={0} max={Math.max(limit, 1)} high={limit * 0.9} value={used} aria-label={label} />}
    </div>
  );
}
