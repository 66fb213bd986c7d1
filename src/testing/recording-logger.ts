/** A Logger that keeps its lines in memory, for assertions in our own tests. */
import type { Logger } from '../runtime/logger.ts'

type LogLevel = Exclude<keyof Logger, 'child'>

/** One line of the log. */
interface LogLine {
  readonly level: LogLevel
  /** The bindings of the call and of the child loggers before it. */
  readonly bindings: Record<string, unknown>
  readonly message: string
}

/** Records every line of itself and of its children, at all levels, in the order of the calls. */
export class RecordingLogger implements Logger {
  readonly lines: LogLine[]
  readonly #bindings: Record<string, unknown>

  constructor(lines: LogLine[] = [], bindings: Record<string, unknown> = {}) {
    this.lines = lines
    this.#bindings = bindings
  }

  debug(bindings: object, message: string): void {
    this.#record('debug', bindings, message)
  }

  info(bindings: object, message: string): void {
    this.#record('info', bindings, message)
  }

  warn(bindings: object, message: string): void {
    this.#record('warn', bindings, message)
  }

  error(bindings: object, message: string): void {
    this.#record('error', bindings, message)
  }

  child(bindings: object): RecordingLogger {
    return new RecordingLogger(this.lines, { ...this.#bindings, ...bindings })
  }

  /** The messages of the lines at a level, by default of all lines. */
  messages(level?: LogLevel): string[] {
    return this.lines.filter(line => level === undefined || line.level === level).map(({ message }) => message)
  }

  /** The lines whose message contains a text. */
  linesWith(text: string): LogLine[] {
    return this.lines.filter(({ message }) => message.includes(text))
  }

  /** Removes the lines recorded so far and returns them. */
  take(): LogLine[] {
    return this.lines.splice(0)
  }

  #record(level: LogLevel, bindings: object, message: string): void {
    this.lines.push({ level, bindings: { ...this.#bindings, ...bindings }, message })
  }
}
