import { TierkitError } from '@tierkit/core';

/** One variable that cannot be used as it is; `reason` is safe to log. */
export interface EnvironmentFault {
  readonly variable: string;
  readonly reason: string;
}

/** Every fault of the environment in one error, so that a deployment is corrected in one go. */
export function environmentError(faults: readonly EnvironmentFault[]): TierkitError<'ERR_TIERKIT_ENVIRONMENT'> {
  const lines = faults.map(({ variable, reason }) => `  ${variable}: ${reason}`);
  const title = faults.length === 1 ? 'The environment has a fault' : `The environment has ${faults.length} faults`;
  return new TierkitError('ERR_TIERKIT_ENVIRONMENT', `${title}:\n${lines.join('\n')}`, { details: { faults } });
}

const address = /^(?:[\w.-]+|\[[\da-f:.]+\])(?::\d{1,5})?$/i;

/** The address in a URL without user, password, path and query; `undefined` where they cannot be told apart. */
function withoutSecrets(url: string): string | undefined {
  const scheme = /^[a-z][a-z\d+.-]*:\/\//i.exec(url)?.[0];
  if (scheme === undefined) return undefined;
  const rest = url.slice(scheme.length);
  const at = rest.lastIndexOf('@');
  const host = rest.slice(at + 1).split(/[/?#]/, 1)[0] ?? '';
  // Without an "@", what looks like a host may be a password whose host was forgotten: ":secret" is no address.
  if (!address.test(host)) return undefined;
  return `${scheme}${at === -1 ? '' : '***@'}${host}`;
}

const secret = new Set(['REDIS_PASSWORD', 'REDIS_SENTINEL_PASSWORD']);

/** A value as an error may show it: quoted, cut to 40 characters, with every password masked. */
export function shownValue(variable: string, value: string): string {
  if (secret.has(variable)) return '***';
  if (variable.endsWith('_URL') || value.includes('://') || value.includes('@')) {
    const url = withoutSecrets(value);
    return url === undefined ? '***' : JSON.stringify(url);
  }
  return JSON.stringify(value.length > 40 ? `${value.slice(0, 40)}…` : value);
}
