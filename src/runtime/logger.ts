/**
 * The shape of pino's loggers, without pino. Messages are sentences for operators.
 */

/** Fields of a log line. An error goes under `err`: under `error` pino would drop its message and stack. */
export interface LogBindings {
  readonly error?: never
  readonly [field: string]: unknown
}

type Log = (bindings: LogBindings, message: string) => void

export interface Logger {
  debug: Log
  info: Log
  warn: Log
  error: Log
  /** A logger that adds `bindings` to every line. */
  child(bindings: LogBindings): Logger
}

const nothing: Log = () => {}

/** Drops everything. */
export const silentLogger: Logger = {
  debug: nothing,
  info: nothing,
  warn: nothing,
  error: nothing,
  child: () => silentLogger
}
