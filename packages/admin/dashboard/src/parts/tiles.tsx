import type { JSX } from 'preact';

/** Figures that one looks at first: a name and a number each. */
export function Tiles({ tiles }: { readonly tiles: readonly (readonly [string, string])[] }): JSX.Element {
  return (
    <dl class="tiles">
      {tiles.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}
