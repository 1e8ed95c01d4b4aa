import type { StandardSchemaV1 } from '@standard-schema/spec';
import { TierkitError } from '@tierkit/core';
import { busError } from '../errors.ts';
import { isThenable } from '../thenable.ts';

/**
 * Makes sure that data passes its channel's schema.
 *
 * @returns a promise for a schema that takes its time
 * @throws {TierkitError} `ERR_BUS_SCHEMA`, with the paths that do not pass but without their values; also when the schema throws
 */
export function checkData(
  schema: StandardSchemaV1 | undefined,
  data: unknown,
  channel: string,
): Promise<void> | undefined {
  if (schema === undefined) return undefined;
  const judge = ({ issues }: StandardSchemaV1.Result<unknown>): undefined => {
    if (issues !== undefined) throw refused(issues, channel);
  };
  const broken = (cause: unknown): never => {
    if (cause instanceof TierkitError) throw cause;
    throw busError('ERR_BUS_SCHEMA', `the schema of ${channel} throws`, { cause, details: { channel, paths: [] } });
  };
  try {
    const result = schema['~standard'].validate(data);
    return isThenable(result) ? Promise.resolve(result).then(judge).catch(broken) : judge(result);
  } catch (error) {
    return broken(error);
  }
}

function refused(issues: readonly StandardSchemaV1.Issue[], channel: string): Error {
  const paths = issues.map(({ path = [] }) =>
    path.map((part) => String(typeof part === 'object' ? part.key : part)).join('.'),
  );
  const cause = new AggregateError(issues, issues.map(({ message }) => message).join('; '));
  return busError('ERR_BUS_SCHEMA', `data for ${channel} does not pass its schema`, {
    cause,
    details: { channel, paths },
  });
}
