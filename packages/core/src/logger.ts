import { undisturbed } from './undisturbed.ts';

/** The four methods that tierkit calls on a logger; pino, winston and `console` have them all. */
export interface Logger {
  debug(details: Readonly<Record<string, unknown>>, message: string): void;
  info(details: Readonly<Record<string, unknown>>, message: string): void;
  warn(details: Readonly<Record<string, unknown>>, message: string): void;
  error(details: Readonly<Record<string, unknown>>, message: string): void;
}

const nothing = (): void => {};

export const silentLogger: Logger = { debug: nothing, info: nothing, warn: nothing, error: nothing };

/** A logger of the user's, whose failures disturb nobody; the silent one for none. */
export function safeLogger(logger: Logger | undefined): Logger {
  if (logger === undefined || logger === silentLogger) return silentLogger;
  return {
    debug: (details, message) => undisturbed(() => logger.debug(details, message)),
    info: (details, message) => undisturbed(() => logger.info(details, message)),
    warn: (details, message) => undisturbed(() => logger.warn(details, message)),
    error: (details, message) => undisturbed(() => logger.error(details, message)),
  };
}
