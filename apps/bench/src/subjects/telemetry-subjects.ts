import {
  AggregationTemporality,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from '@opentelemetry/sdk-metrics';
import type { Tiers, Scope } from '@tierkit/cache';
import { DurationProducer, openTelemetry } from '@tierkit/telemetry/opentelemetry';
import { prometheus } from '@tierkit/telemetry/prometheus';
import { Registry } from 'prom-client';
import type { Subject } from '../subject.ts';
import { createTierkit } from './tierkit.ts';

const project = (tiers: Tiers): Scope => tiers.project('bench');
const nothing = async (): Promise<void> => {};

/** Collected once a second, ten to sixty times as often as is usual. */
const COLLECT_MS = 1_000;

function collectedByOpenTelemetry(options: { readonly redisCommands?: boolean; readonly produced?: boolean }) {
  const exporter = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE);
  const durations = options.produced === true ? new DurationProducer() : undefined;
  const reader = new PeriodicExportingMetricReader({
    exporter,
    exportIntervalMillis: COLLECT_MS,
    metricProducers: durations === undefined ? [] : [durations],
  });
  const meterProvider = new MeterProvider({ readers: [reader] });
  const forget = setInterval(() => exporter.reset(), COLLECT_MS).unref();
  const redisCommands = options.redisCommands ?? true;
  return {
    telemetry: openTelemetry({ meterProvider, redisCommands, ...(durations && { durations }) }),
    close: async () => {
      clearInterval(forget);
      await meterProvider.shutdown();
    },
  };
}

function scrapedByPrometheus() {
  const registry = new Registry();
  const scraping = setInterval(() => void registry.metrics(), COLLECT_MS).unref();
  return { telemetry: prometheus({ registry }), close: async () => clearInterval(scraping) };
}

/** What the others are compared with, and the same again, which shows what the machine adds. */
const nobody: readonly Subject[] = [
  createTierkit('limit: tierkit without telemetry', project, { role: 'limit' }),
  createTierkit('tierkit without telemetry, once more', project),
];

/** Who is told, by the ends of the scenarios' names. */
const backends: Readonly<Record<string, Subject>> = {
  'no-sdk': createTierkit('tierkit, OpenTelemetry without an SDK', project, {
    telemetry: () => ({ telemetry: openTelemetry(), close: nothing }),
  }),
  prometheus: createTierkit('tierkit, Prometheus', project, { telemetry: scrapedByPrometheus }),
  'opentelemetry-producer': createTierkit('tierkit, OpenTelemetry with a DurationProducer', project, {
    telemetry: () => collectedByOpenTelemetry({ produced: true }),
  }),
  'opentelemetry-cache': createTierkit('tierkit, OpenTelemetry without Redis commands', project, {
    telemetry: () => collectedByOpenTelemetry({ redisCommands: false }),
  }),
  opentelemetry: createTierkit('tierkit, OpenTelemetry', project, { telemetry: () => collectedByOpenTelemetry({}) }),
};

/** Each beside a cache that tells nobody. */
export const telemetrySubjects: ReadonlyMap<string, readonly Subject[]> = new Map(
  Object.entries(backends).map(([name, subject]) => [name, [...nobody, subject]]),
);
