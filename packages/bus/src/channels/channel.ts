import type { StandardSchemaV1 } from '@standard-schema/spec';
import { parseDuration, type Duration } from '@tierkit/core';
import { busError } from '../errors.ts';

export interface RetentionOptions {
  /** Events that are kept at least; up to two hundred more are. @default 100_000 */
  readonly maxLength?: number;
  /**
   * How long events are kept at least. They go with a later event, every hundredth of a channel: nothing is removed from one that
   * nobody publishes on. @default no limit but `maxLength`
   */
  readonly maxAge?: Duration;
}

/** What is kept of a durable channel, in events and in milliseconds. */
export interface Retention {
  readonly maxLength: number;
  readonly maxAgeMs: number | undefined;
}

interface Typed<In, Out> {
  readonly schema: StandardSchemaV1 | undefined;
  /** For the type checker alone; it holds nothing. */
  readonly types?: { readonly accepts: (data: In) => void; readonly gives: Out };
}

/** Reaches those who listen at the moment, at most once. */
export interface EphemeralChannel<In = unknown, Out = In> extends Typed<In, Out> {
  readonly kind: 'ephemeral';
}

/** Kept in a Redis stream: can be read again, and worked off by groups of consumers. */
export interface DurableChannel<In = unknown, Out = In> extends Typed<In, Out> {
  readonly kind: 'durable';
  readonly retention: Retention;
}

/** Fed by something in this process instead of by `publish`. */
export interface FedChannel<Out = unknown> extends Typed<never, Out> {
  readonly kind: 'fed';
  readonly source: (emit: (data: Out) => void) => () => void;
}

export type Channel<In = never, Out = unknown> = EphemeralChannel<In, Out> | DurableChannel<In, Out> | FedChannel<Out>;

/** Channels by name; a segment in braces is a parameter: `'notifications:user:{id}'`. */
export type Channels = Readonly<Record<string, Channel>>;

/**
 * A channel whose events reach those who listen at the moment, at most once and in order per publisher.
 *
 * @param schema any Standard Schema: checked before sending, and its output is what subscribers get
 */
export function ephemeral<In, Out>(schema: StandardSchemaV1<In, Out>): EphemeralChannel<In, Out>;
export function ephemeral<T = unknown>(): EphemeralChannel<NoInfer<T>>;
export function ephemeral(schema?: StandardSchemaV1): EphemeralChannel {
  return { kind: 'ephemeral', schema: checkedSchema(schema) };
}

/**
 * A channel whose events are kept: each group of consumers gets them at least once, and they can be replayed.
 *
 * A channel with parameters is one stream for all of their values, in one order.
 *
 * @throws {TierkitError} `ERR_BUS_OPTIONS` or `ERR_DURATION_INVALID`
 */
export function durable<In, Out>(schema: StandardSchemaV1<In, Out>, keep?: RetentionOptions): DurableChannel<In, Out>;
export function durable<T = unknown>(keep?: RetentionOptions): DurableChannel<NoInfer<T>>;
export function durable(first?: StandardSchemaV1 | RetentionOptions, second?: RetentionOptions): DurableChannel {
  const schema = isSchema(first) ? first : undefined;
  const { maxLength = 100_000, maxAge, ...rest } = (isSchema(first) ? second : first) ?? {};
  const [unknown] = Object.keys(rest);
  if (unknown !== undefined) throw busError('ERR_BUS_OPTIONS', `durable: ${unknown} is not an option`);
  if (!Number.isSafeInteger(maxLength) || maxLength < 1)
    throw busError('ERR_BUS_OPTIONS', 'durable: maxLength must be a whole number above 0');
  const maxAgeMs = maxAge === undefined ? undefined : parseDuration(maxAge, 'maxAge');
  return { kind: 'durable', schema, retention: { maxLength, maxAgeMs } };
}

/**
 * A channel of this process alone, whose events come from `source` while somebody listens.
 *
 * `source` is called for each subscription, and what it returns when that ends. What it tells is handed on as it is, without a copy
 * and without a schema.
 */
export function fed<Out>(source: (emit: (data: Out) => void) => () => void): FedChannel<Out> {
  return { kind: 'fed', schema: undefined, source };
}

function isSchema(value: unknown): value is StandardSchemaV1 {
  return (typeof value === 'object' || typeof value === 'function') && value !== null && '~standard' in value;
}

function checkedSchema(schema: StandardSchemaV1 | undefined): StandardSchemaV1 | undefined {
  if (schema === undefined || isSchema(schema)) return schema;
  throw busError('ERR_BUS_OPTIONS', 'ephemeral takes a Standard Schema, or nothing');
}
