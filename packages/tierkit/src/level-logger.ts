import type { Logger } from '@tierkit/core';

/** From the most to the least that is logged. */
export type LogLevel = 'debug' | 'info' | 'warn' | 'error' | 'silent';

const order = ['debug', 'info', 'warn', 'error', 'silent'] as const;

/** Passes on the calls of `level` and above. */
export function levelLogger(logger: Logger, level: LogLevel): Logger {
  const least = order.indexOf(level);
  const at = (method: keyof Logger): Logger[keyof Logger] =>
    order.indexOf(method) >= least ? (details, message) => logger[method](details, message) : () => {};
  return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') };
}

/**
 * A logger that writes one JSON object a line: `time` (ISO 8601), `level`, `message`, then the details. It never
 * throws: errors are written as name, code and message, and details that JSON cannot hold are left out.
 */
export function jsonLogger(write: (line: string) => void = (line) => process.stderr.write(line)): Logger {
  const at =
    (level: keyof Logger): Logger[keyof Logger] =>
    (details, message) =>
      write(`${line(level, details, message)}\n`);
  return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') };
}

function line(level: string, details: Readonly<Record<string, unknown>>, message: string): string {
  const head = { time: new Date().toISOString(), level, message };
  try {
    return JSON.stringify({ ...head, ...details, ...head }, readable);
  } catch {
    return JSON.stringify(head);
  }
}

function readable(_key: string, value: unknown): unknown {
  if (typeof value === 'bigint') return String(value);
  if (!(value instanceof Error)) return value;
  return {
    name: value.name,
    ...('code' in value ? { code: value.code } : {}),
    message: value.message,
    ...(value.cause === undefined ? {} : { cause: value.cause }),
  };
}
