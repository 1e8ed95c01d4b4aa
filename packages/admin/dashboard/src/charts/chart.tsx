import { useEffect, useId, useRef } from 'preact/hooks';
import type { JSX } from 'preact';
import uPlot from 'uplot';
import type { Series } from '../live/history.ts';

export interface ChartProps {
  readonly title: string;
  readonly series: Series;
  readonly format: (value: number) => string;
  /** The highest value of the scale; the data's own without it. */
  readonly top?: number;
}

const HEIGHT = 170;

/**
 * Lines over time, with a table of what they are now beside them: the table is their legend, and what a screen reader
 * reads in their place.
 */
export function Chart({ title, series, format, top }: ChartProps): JSX.Element {
  const canvas = useRef<HTMLDivElement>(null);
  const legend = useRef<HTMLTableElement>(null);
  const plot = useRef<uPlot>(undefined);
  const titleId = useId();
  const names = series.lines.map(({ name }) => name).join('\n');
  const data = [series.times, ...series.lines.map(({ values }) => values)] as unknown as uPlot.AlignedData;

  useEffect(() => {
    const place = canvas.current;
    if (place === null) return undefined;
    const made = new uPlot(
      options({ names: names === '' ? [] : names.split('\n'), format, top, place, legend }),
      data,
      place,
    );
    plot.current = made;
    const resized = new ResizeObserver(() => made.setSize({ width: place.clientWidth, height: HEIGHT }));
    resized.observe(place);
    return () => {
      resized.disconnect();
      made.destroy();
      plot.current = undefined;
    };
    // The data go to the chart that exists; only other lines need another one.
  }, [names, format, top]);
  useEffect(() => plot.current?.setData(data));

  return (
    <figure class="panel chart" aria-labelledby={titleId}>
      <figcaption id={titleId}>{title}</figcaption>
      <div ref={canvas} class="canvas" aria-hidden="true" />
      <table ref={legend} class="legend">
        <caption class="unseen">{title}, now</caption>
        <tbody>
          {series.lines.map(({ name, values }, index) => (
            <tr key={name}>
              <th scope="row">
                <span class={`swatch line-${index % 6}`} aria-hidden="true" />
                {name}
              </th>
              <td>{shown(values.at(-1), format)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </figure>
  );
}

/** Asked for each time something is drawn, so that a change of the theme is seen. */
function colour(of: Element | null | undefined): string {
  return of === null || of === undefined ? 'gray' : getComputedStyle(of).color;
}

function shown(value: number | null | undefined, format: (value: number) => string): string {
  return value === null || value === undefined ? 'none' : format(value);
}

interface Drawn {
  readonly names: readonly string[];
  readonly format: (value: number) => string;
  readonly top: number | undefined;
  readonly place: HTMLElement;
  readonly legend: { readonly current: HTMLElement | null };
}

function options({ names, format, top, place, legend }: Drawn): uPlot.Options {
  const axis: uPlot.Axis = {
    stroke: () => colour(place),
    grid: { stroke: () => getComputedStyle(place).borderTopColor },
  };
  return {
    width: place.clientWidth,
    height: HEIGHT,
    legend: { show: false },
    cursor: { show: false },
    scales: { y: { range: (_plot, _min, max) => [0, top ?? (max > 0 ? max * 1.1 : 1)] } },
    axes: [
      { ...axis, values: '{HH}:{mm}:{ss}', space: 80 },
      { ...axis, size: 62, values: (_plot, ticks) => ticks.map((tick) => format(tick)) },
    ],
    series: [
      {},
      ...names.map((label, index) => ({
        label,
        width: 2,
        spanGaps: true,
        points: { show: false },
        stroke: () => colour(legend.current?.querySelectorAll('.swatch')[index]),
      })),
    ],
  };
}
