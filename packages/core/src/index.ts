export { systemClock, type Clock, type ClockTimer } from './clock.ts';
export { TierkitError, type TierkitErrorOptions } from './errors.ts';
export { silentLogger, type Logger } from './logger.ts';
