import { cliError } from '../errors.ts';

/** @throws {TierkitError} `ERR_CLI_USAGE` */
export function wholeNumber(text: string, option: string, most: number, least = 1): number {
  const value = Number(text);
  if (/^\d{1,10}$/.test(text) && value >= least && value <= most) return value;
  throw cliError('ERR_CLI_USAGE', `${option} takes a whole number from ${least} to ${most}`);
}
