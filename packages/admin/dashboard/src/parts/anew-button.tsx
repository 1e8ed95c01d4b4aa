import type { ComponentChildren, JSX } from 'preact';
import { useState } from 'preact/hooks';
import { Confirm } from './confirm.tsx';

export interface AnewButtonProps {
  /** What will be forgotten. */
  readonly children: ComponentChildren;
  readonly onReset: () => Promise<void>;
}

/** Lets a subject begin anew, once somebody has agreed. */
export function AnewButton({ children, onReset }: AnewButtonProps): JSX.Element {
  const [asking, setAsking] = useState(false);
  return (
    <>
      <div class="buttons">
        <button type="button" class="danger" onClick={() => setAsking(true)}>
          Reset...
        </button>
      </div>
      {asking && (
        <Confirm title="Let it begin anew?" action="Reset" onConfirm={onReset} onClose={() => setAsking(false)}>
          <p>{children}</p>
        </Confirm>
      )}
    </>
  );
}
