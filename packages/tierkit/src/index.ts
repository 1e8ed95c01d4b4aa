export { TierkitError } from '@tierkit/core';
export { fromEnvironment, type FromEnvironmentOptions } from './environment.ts';
export type { EnvironmentFault } from './environment-faults.ts';
export type { Environment } from './environment-variables.ts';
export { jsonLogger, levelLogger, type LogLevel } from './level-logger.ts';
export type { L1Options, TierkitOptions, TierOptions } from './options.ts';
