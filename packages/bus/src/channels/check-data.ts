import type { StandardSchemaV1 } from '@standard-schema/spec';
import { busError } from '../errors.ts';

/**
 * Makes sure that data passes its channel's schema.
 *
 * @returns a promise for a schema that takes its time
 * @throws {TierkitError} `ERR_BUS_SCHEMA`, with the paths that do not pass but without their values
 */
export function checkData(
  schema: StandardSchemaV1 | undefined,
  data: unknown,
  channel: string,
): Promise<void> | undefined {
  if (schema === undefined) return undefined;
  const require = ({ issues }: StandardSchemaV1.Result<unknown>): undefined => {
    if (issues === undefined) return;
    const paths = issues.map(({ path = [] }) =>
      path.map((part) => String(typeof part === 'object' ? part.key : part)).join('.'),
    );
    const cause = new AggregateError(issues, issues.map(({ message }) => message).join('; '));
    throw busError('ERR_BUS_SCHEMA', `data for ${channel} does not pass its schema`, {
      cause,
      details: { channel, paths },
    });
  };
  const result = schema['~standard'].validate(data);
  return result instanceof Promise ? result.then(require) : require(result);
}
