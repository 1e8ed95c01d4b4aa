import {
  AggregationTemporality,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from '@opentelemetry/sdk-metrics';
import type { Tiers, Scope } from '@tierkit/cache';
import { openTelemetry } from '@tierkit/telemetry/opentelemetry';
import { prometheus } from '@tierkit/telemetry/prometheus';
import { Registry } from 'prom-client';
import type { Subject } from '../subject.ts';
import { createTierkit } from './tierkit.ts';

const project = (tiers: Tiers): Scope => tiers.project('bench');
const nothing = async (): Promise<void> => {};

/** Collected once a second, ten to sixty times as often as is usual. */
const COLLECT_MS = 1_000;

function collectedByOpenTelemetry(redisCommands: boolean): ReturnType<typeof openTelemetryOver> {
  return openTelemetryOver(redisCommands);
}

function openTelemetryOver(redisCommands: boolean) {
  const exporter = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE);
  const reader = new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: COLLECT_MS });
  const meterProvider = new MeterProvider({ readers: [reader] });
  const forget = setInterval(() => exporter.reset(), COLLECT_MS).unref();
  return {
    telemetry: openTelemetry({ meterProvider, redisCommands }),
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

/** The same cache, told nobody or somebody. The first is what the others are compared with, the second is it again. */
export const telemetrySubjects: readonly Subject[] = [
  createTierkit('limit: tierkit without telemetry', project, { role: 'limit' }),
  createTierkit('tierkit without telemetry, once more', project),
  createTierkit('tierkit, OpenTelemetry without an SDK', project, {
    telemetry: () => ({ telemetry: openTelemetry(), close: nothing }),
  }),
  createTierkit('tierkit, OpenTelemetry metrics', project, { telemetry: () => collectedByOpenTelemetry(false) }),
  createTierkit('tierkit, OpenTelemetry metrics and Redis commands', project, {
    telemetry: () => collectedByOpenTelemetry(true),
  }),
  createTierkit('tierkit, Prometheus metrics', project, { telemetry: scrapedByPrometheus }),
];
