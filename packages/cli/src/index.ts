export type { CliErrorCode } from './errors.ts';
export { EXIT, type ExitCode } from './exit-codes.ts';
export type { CliHost, CliKit, KitOptions } from './host.ts';
export { Interruption, onSignals } from './interruption.ts';
export type { TextSink } from './output/output.ts';
export type { Asker } from './run/confirm.ts';
export { runCli, type CliOptions } from './run-cli.ts';
