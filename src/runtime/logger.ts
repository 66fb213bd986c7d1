/**
 * What a part may log through: the shape of pino's loggers, without pino. Messages are sentences for operators. An error
 * goes under `err`: under any other name pino drops what it says.
 */
type Log = (bindings: object, message: string) => void

export interface Logger {
  debug: Log
  info: Log
  warn: Log
  error: Log
  /** A logger that adds `bindings` to every line. */
  child(bindings: object): Logger
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
