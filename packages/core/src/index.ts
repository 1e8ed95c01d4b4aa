export { systemClock, type Clock, type ClockTimer } from './clock.ts';
export { parseDuration, type Duration, type DurationBounds } from './duration.ts';
export { TierkitError, type TierkitErrorOptions } from './errors.ts';
export { decodeKey, encodeKey, encodeSegment, isHashedKey, type Key } from './key.ts';
export { silentLogger, type Logger } from './logger.ts';
