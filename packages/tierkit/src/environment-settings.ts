import { environmentError, type EnvironmentFault } from './environment-faults.ts';
import { readServers, type EnvironmentServers } from './environment-server.ts';
import { defaultTtl, tierTtls } from './environment-ttls.ts';
import { given, readVariables, type Environment, type Values } from './environment-variables.ts';

/** What the environment says, checked and in milliseconds. */
export interface EnvironmentSettings {
  readonly backend: 'redis' | 'memory' | 'null';
  readonly servers: EnvironmentServers;
  readonly values: Values;
  readonly defaultTtlMs: number | undefined;
  readonly tierTtlsMs: ReadonlyMap<string, number>;
}

/** Reads every variable before it complains, so that one error names all faults. */
export function readSettings(environment: Environment): EnvironmentSettings {
  const faults: EnvironmentFault[] = [];
  const values = readVariables(environment, faults);
  const settings = {
    backend: backend(values),
    servers: readServers(values, faults),
    values,
    defaultTtlMs: defaultTtl(values, faults),
    tierTtlsMs: tierTtls(environment, faults),
  };
  if (
    settings.backend === 'redis' &&
    !['REDIS_URL', 'REDIS_HOST', 'CACHE_REDIS_URL'].some((name) => given(environment, name))
  ) {
    faults.push({
      variable: 'REDIS_URL',
      reason:
        'neither REDIS_URL nor REDIS_HOST is set; to do without Redis, set CACHE_BACKEND=memory or CACHE_ENABLED=false',
    });
  }
  if (faults.length > 0) throw environmentError(faults);
  return settings;
}

/**
 * A switch that is off makes every read a miss. It does not fall back to memory: instances would then keep values
 * that nothing invalidates, so memory has to be asked for by `CACHE_BACKEND`.
 */
function backend(values: Values): EnvironmentSettings['backend'] {
  if (values.CACHE_ENABLED === false) return 'null';
  const chosen = values.CACHE_BACKEND ?? 'redis';
  return chosen === 'redis' && values.REDIS_ENABLED === false ? 'null' : chosen;
}
