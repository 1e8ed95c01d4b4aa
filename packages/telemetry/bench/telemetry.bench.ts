// node --conditions=@tierkit/source --import tsx packages/telemetry/bench/telemetry.bench.ts
// What it costs to record one duration; what whole reads cost is in apps/bench, in the scenarios telemetry-*.
import { MeterProvider, MetricReader } from '@opentelemetry/sdk-metrics';
import { TimedOperation, type MetricDefinition, type Telemetry } from '@tierkit/core';
import { Registry } from 'prom-client';
import { openTelemetry } from '../src/opentelemetry/index.ts';
import { prometheus } from '../src/prometheus/index.ts';

const ROUNDS = 15;
const CALLS = 200_000;

const metric: MetricDefinition = {
  name: 'bench.duration',
  kind: 'duration',
  unit: 's',
  description: 'A benchmark',
  attributes: ['tier', 'operation', 'error.type'],
  bounds: [0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
};

class ManualReader extends MetricReader {
  protected override async onForceFlush(): Promise<void> {}
  protected override async onShutdown(): Promise<void> {}
}

const meterProvider = new MeterProvider({ readers: [new ManualReader()] });
const subjects: Readonly<Record<string, Telemetry>> = {
  'OpenTelemetry without an SDK': openTelemetry(),
  'OpenTelemetry SDK': openTelemetry({ meterProvider }),
  Prometheus: prometheus({ registry: new Registry() }),
};

const attributes = { tier: 'project', operation: 'get' };
const timers = Object.entries(subjects).map(
  ([name, telemetry]) =>
    [name, new TimedOperation(telemetry, { metric, attributes, span: { name: 'bench', attributes } })] as const,
);

const times = new Map<string, number[]>();
for (let round = 0; round < ROUNDS; round++) {
  for (const [name, timer] of timers) {
    const startMs = performance.now();
    for (let n = 0; n < CALLS; n++) timer.ended(startMs);
    times.set(name, [...(times.get(name) ?? []), ((performance.now() - startMs) * 1e6) / CALLS]);
  }
}
for (const [name, list] of times) {
  const median = list.toSorted((a, b) => a - b)[Math.floor(list.length / 2)] ?? 0;
  console.log(`${name.padEnd(30)} ${median.toFixed(0).padStart(6)} ns`);
}
