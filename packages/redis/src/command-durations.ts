import { channel } from 'node:diagnostics_channel';
import { errorType, type Attributes, type Durations, type MetricDefinition, type Telemetry } from '@tierkit/core';
import type { ResolvedOptions } from './resolve-options.ts';

/** OpenTelemetry's stable metric of database calls; its bounds are among these, and finer ones below a millisecond. */
const OPERATION_DURATION: MetricDefinition = {
  name: 'db.client.operation.duration',
  kind: 'duration',
  unit: 's',
  description: 'Duration of database client operations.',
  attributes: [
    'db.system.name',
    'db.namespace',
    'db.operation.name',
    'db.stored_procedure.name',
    'server.address',
    'server.port',
    'error.type',
  ],
  bounds: [0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10],
};

// Whoever listens here has every command from ioredis itself.
const ioredisCommands = channel('tracing:ioredis:command:start');

/** How long commands of one connection took, by what they are called. */
export class CommandDurations {
  readonly #telemetry: Telemetry;
  readonly #attributes: Attributes;
  readonly #byName = new Map<string, Durations>();

  constructor(
    telemetry: Telemetry,
    { topology, addresses, db }: Pick<ResolvedOptions, 'topology' | 'addresses' | 'db'>,
  ) {
    this.#telemetry = telemetry;
    const [address] = topology === 'standalone' ? addresses : [];
    const server = address && { 'server.address': address.host, 'server.port': address.port };
    this.#attributes = { 'db.system.name': 'redis', 'db.namespace': String(db), ...server };
  }

  /** @param error what a command failed with */
  record(name: string, startedMs: number, error?: unknown): void {
    if (ioredisCommands.hasSubscribers) return;
    const seconds = (performance.now() - startedMs) / 1_000;
    this.#of(name).record(seconds, error === undefined ? undefined : errorType(error));
  }

  /** @param name `GET`, or for a script `EVALSHA` and its name; empty where there is none */
  #of(name: string): Durations {
    let durations = this.#byName.get(name);
    if (durations === undefined) {
      const [operation = '', script = ''] = name.split(' ');
      const attributes = { ...this.#attributes, 'db.operation.name': operation, 'db.stored_procedure.name': script };
      durations = this.#telemetry.durations(OPERATION_DURATION, attributes);
      this.#byName.set(name, durations);
    }
    return durations;
  }
}
