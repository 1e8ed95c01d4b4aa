import type { ComponentChildren, JSX } from 'preact';
import { useId } from 'preact/hooks';

export interface PanelProps {
  readonly title: string;
  readonly class?: string;
  readonly children: ComponentChildren;
}

/** A part of the page with a heading, which screen readers list as a region. */
export function Panel({ title, class: more = '', children }: PanelProps): JSX.Element {
  const id = useId();
  return (
    <section class={`panel ${more}`} aria-labelledby={id}>
      <h2 id={id}>{title}</h2>
      {children}
    </section>
  );
}
