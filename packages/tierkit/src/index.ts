export { TierkitError } from '@tierkit/core';
export { fromEnvironment, type FromEnvironmentOptions } from './environment.ts';
export type { EnvironmentFault } from './environment-faults.ts';
export type { Environment } from './environment-variables.ts';
export type { TierkitHealth } from './health.ts';
export { jsonLogger, levelLogger, type LogLevel } from './level-logger.ts';
export type { TierkitOptions } from './options.ts';
export type { InstanceInfo } from './presence/presence.ts';
export { createTierkit, type Tierkit, type TierkitInfo } from './tierkit.ts';
