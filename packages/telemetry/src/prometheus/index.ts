export { prometheus, type PrometheusOptions } from './prometheus.ts';
export type { PrometheusRegistry } from './registry.ts';
