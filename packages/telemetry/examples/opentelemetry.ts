import { context, trace } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { BasicTracerProvider, InMemorySpanExporter, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-base';
import { createCache } from '@tierkit/cache';
import { openTelemetry } from '@tierkit/telemetry/opentelemetry';

// What your SDK setup does, before anything else.
const exporter = new InMemorySpanExporter();
trace.setGlobalTracerProvider(new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] }));
context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());

const cache = createCache({ redis: 'memory', telemetry: openTelemetry({ keys: 'hashed' }) });
const readReport = async () => ({ lines: 120 });

// A request, for which your HTTP instrumentation made the span.
await trace.getTracer('shop').startActiveSpan('GET /report', async (span) => {
  await cache.getOrSet('report', readReport); // loads
  await cache.getOrSet('report', readReport); // a hit in process: no span
  span.end();
});

for (const { name, attributes } of exporter.getFinishedSpans()) console.log(name, attributes);
await cache.close();
