export { DurationProducer } from './duration-producer.ts';
export { openTelemetry, type OpenTelemetryOptions } from './open-telemetry.ts';
