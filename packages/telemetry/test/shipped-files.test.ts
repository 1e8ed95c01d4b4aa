import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { parser } from '@prometheus-io/lezer-promql';
import { createTiers } from '@tierkit/cache';
import { Registry } from 'prom-client';
import { expect, inject, test } from 'vitest';
import { parse } from 'yaml';
import { prometheus } from '../src/prometheus/index.ts';

interface Panel {
  readonly id: number;
  readonly title: string;
  readonly type: string;
  readonly gridPos: { readonly h: number; readonly w: number; readonly x: number; readonly y: number };
  readonly targets?: readonly { readonly expr: string }[];
}
interface Dashboard {
  readonly title: string;
  readonly panels: readonly Panel[];
  readonly templating: { readonly list: readonly { readonly name: string; readonly query: string }[] };
}
interface Rules {
  readonly groups: readonly {
    readonly rules: readonly { readonly alert: string; readonly expr: string; readonly annotations: object }[];
  }[];
}

const read = (path: string): string => readFileSync(new URL(`../${path}`, import.meta.url), 'utf8');
const dashboard = JSON.parse(read('dashboards/tierkit.json')) as Dashboard;
const rules = (parse(read('alerts/tierkit.yml')) as Rules).groups.flatMap((group) => group.rules);

const queries: (readonly [where: string, expr: string])[] = [
  ...dashboard.panels.flatMap(({ title, targets = [] }) => targets.map(({ expr }) => [title, expr] as const)),
  ...rules.map(({ alert, expr }) => [alert, expr] as const),
];

/** What a query names: its metrics, and the labels that each is asked for or grouped by. */
function namesIn(expr: string): { metrics: string[]; labels: string[]; faults: string[] } {
  // Grafana puts a duration there.
  const text = expr.replaceAll('$__rate_interval', '5m');
  const names = { metrics: [] as string[], labels: [] as string[], faults: [] as string[] };
  parser.parse(text).iterate({
    enter: ({ name, from, to, type }) => {
      const source = text.slice(from, to);
      if (type.isError) names.faults.push(`${from}: ${source}`);
      if (name === 'VectorSelector') names.metrics.push(/^\w+/.exec(source)?.[0] ?? '');
      if (name === 'LabelName') names.labels.push(source);
    },
  });
  return names;
}

test('the parser that judges the queries finds faults', () => {
  expect(namesIn('sum by (tier) (rate(a_total{b="c"}[5m]))')).toEqual({
    metrics: ['a_total'],
    labels: ['tier', 'b'],
    faults: [],
  });
  expect(namesIn('sum by (tier (rate(a_total[5m]))').faults).not.toEqual([]);
  expect(namesIn('rate(a_total[5m)').faults).not.toEqual([]);
});

test('every metric and label that the dashboard and the rules name exists', async () => {
  const registry = new Registry();
  const redis = inject('redisUrl');
  const tiers = createTiers({ redis, prefix: `${randomUUID()}:`, telemetry: prometheus({ registry }) });
  await tiers.ready();
  const named = tiers.project('p').countedAs('reports');
  await named.getOrSet('a', () => 1);
  await named.getOrSet('b', () => Promise.reject(new Error('x'))).catch(() => {});
  tiers.writeBehind('reports', { flush() {} });
  const text = await registry.metrics();
  const exposed = new Map<string, Set<string>>();
  for (const [, name = '', labels = ''] of text.matchAll(/^(\w+)(?:\{(.*)\})? \S+$/gm)) {
    const known = exposed.get(name) ?? new Set();
    for (const [, label = ''] of labels.matchAll(/(\w+)="/g)) known.add(label);
    exposed.set(name, known);
  }
  await tiers.close();
  // Added by Prometheus when it scrapes.
  const scraped = ['job', 'instance'];
  // No command fails here; that failures have the label is tested with the histograms.
  for (const name of exposed.keys()) if (name.startsWith('db_client_')) exposed.get(name)?.add('error_type');

  expect(queries.length).toBeGreaterThan(30);
  const faults = queries.flatMap(([where, expr]) => {
    const { metrics, labels, faults } = namesIn(expr);
    const unknown = metrics.filter((metric) => !exposed.has(metric));
    const known = new Set(metrics.flatMap((metric) => Array.from(exposed.get(metric) ?? [])).concat(scraped));
    const missing = labels.filter((label) => !known.has(label));
    const all = [...faults, ...unknown, ...missing].concat(metrics.length === 0 ? ['no metric'] : []);
    return all.map((fault) => `${where}: ${fault}`);
  });
  expect(faults).toEqual([]);
  for (const { query } of dashboard.templating.list.slice(1)) {
    const [, metric = '', label = ''] = /^label_values\((\w+)(?:\{.*\})?, (\w+)\)$/.exec(query) ?? [];
    expect([...(exposed.get(metric) ?? []), ...scraped]).toContain(label);
  }
});

test('the dashboard is one that Grafana shows: ids are unique and no panel lies over another', () => {
  const { panels, title } = dashboard;
  expect(title).toBe('tierkit');
  expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
  const cells = panels.flatMap(({ gridPos: { x, y, w, h } }) =>
    Array.from({ length: w * h }, (_, i) => `${x + (i % w)} ${y + Math.floor(i / w)}`),
  );
  expect(new Set(cells).size).toBe(cells.length);
  expect(Math.max(...panels.map(({ gridPos: { x, w } }) => x + w))).toBe(24);
});

test('every rule has a name of its own and says what it means', () => {
  expect(new Set(rules.map(({ alert }) => alert)).size).toBe(rules.length);
  for (const { annotations } of rules) expect(Object.keys(annotations)).toEqual(['summary', 'description']);
});
