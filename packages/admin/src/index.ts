export type { AuditEvent } from './access/audit.ts';
export { RIGHTS, ROLE_RIGHTS, type Right, type Role } from './access/rights.ts';
export type { Actor, AdminToken } from './access/tokens.ts';
export type {
  AdminParts,
  LimiterPart,
  LocksPart,
  QueueDeadLetter,
  QueuePart,
  QueueState,
  QuotaPart,
} from './admin-parts.ts';
export type { AdminSource, CacheScope, CacheSource, HealthSource, Instance, InstancesSource } from './admin-source.ts';
export { createAdmin, type Admin, type AdminOptions } from './create-admin.ts';
export {
  createLiveTelemetry,
  type DecisionCount,
  type LatencyFigures,
  type LatencySeries,
  type LiveFigures,
  type LiveTelemetry,
} from './live-telemetry.ts';
export type { AdminErrorCode } from './problem.ts';
export type { AdminEnv } from './route.ts';
export { adminListener, serveAdmin, type AdminServer, type ServeOptions } from './serve-admin.ts';
