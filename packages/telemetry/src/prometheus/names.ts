import type { Attributes, MetricDefinition } from '@tierkit/core';

const UNITS: Readonly<Record<string, string>> = { s: '_seconds', By: '_bytes' };

/** A metric's name as Prometheus has it: with its unit, and `_total` for a counter. */
export function prometheusName({ name, unit, kind }: MetricDefinition): string {
  return `${underscored(name)}${UNITS[unit] ?? ''}${kind === 'counter' ? '_total' : ''}`;
}

export function prometheusLabels(attributes: Attributes): Record<string, string | number> {
  const labels: Record<string, string | number> = {};
  for (const [name, value] of Object.entries(attributes)) if (value !== '') labels[underscored(name)] = value;
  return labels;
}

function underscored(name: string): string {
  return name.replaceAll(/\W/g, '_');
}
