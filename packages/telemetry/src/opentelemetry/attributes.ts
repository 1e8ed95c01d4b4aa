import type { Attributes } from '@tierkit/core';

/** Names of our own get a namespace; those with a dot are the conventions' already. An empty value is none. */
export function otelAttributes(attributes: Attributes): Record<string, string | number> {
  const named: Record<string, string | number> = {};
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== '') named[name.includes('.') ? name : `tierkit.${name}`] = value;
  }
  return named;
}
