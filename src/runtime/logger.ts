/** Logger interface, compatible with pino. Messages are sentences for operators. */

/** Rejects an Error, and a value of unknown type, under any name but `err`: pino writes an Error under another name as `{}`. */
type Checked<Bindings> = {
  readonly [Field in keyof Bindings]: Field extends 'err'
    ? unknown
    : unknown extends Bindings[Field]
      ? never
      : Extract<Bindings[Field], Error> extends never
        ? Bindings[Field]
        : never
}

/** `bindings` are the fields of the log line. An error belongs under `err`. */
type Log = <Bindings extends object>(bindings: Bindings & Checked<Bindings>, message: string) => void

export interface Logger {
  debug: Log
  info: Log
  warn: Log
  error: Log
  /** A logger that adds `bindings` to every line. */
  /** False: lines of the level are dropped. Without this method all levels count as enabled. */
  isLevelEnabled?(level: 'debug' | 'info' | 'warn' | 'error'): boolean
  child<Bindings extends object>(bindings: Bindings & Checked<Bindings>): Logger
}

const nothing: Log = () => {}

/** A logger that drops every line. */
export const silentLogger: Logger = {
  debug: nothing,
  info: nothing,
  warn: nothing,
  error: nothing,
  isLevelEnabled: () => false,
  child: () => silentLogger
}
