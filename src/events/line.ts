/** The log line of an event type: its level, its message, and for frequent types the key of its rate limit. */

export type LogLevel = 'debug' | 'info' | 'warn' | 'error'

/** Limit on the lines of a frequent event type. Events with the same key share it. */
interface LineLimit<Event> {
  readonly key: (event: Event) => string
  /** Number of lines of a period at the level of the row. Later events of the period are logged at debug level and counted. */
  readonly most: number
}

export interface Line<Event> {
  readonly level: LogLevel
  readonly message: (event: Event) => string
  readonly limit?: LineLimit<Event>
}

/** A line for each event type of a union. */
export type Lines<Event extends { readonly type: string }> = {
  readonly [Type in Event['type']]: Line<Extract<Event, { readonly type: Type }>>
}

export function debug<Event>(message: (event: Event) => string): Line<Event> {
  return { level: 'debug', message }
}

export function info<Event>(message: (event: Event) => string): Line<Event> {
  return { level: 'info', message }
}

export function warn<Event>(message: (event: Event) => string): Line<Event> {
  return { level: 'warn', message }
}

export function error<Event>(message: (event: Event) => string): Line<Event> {
  return { level: 'error', message }
}

/** A line with a rate limit. */
export function limited<Event>(most: number, key: (event: Event) => string, line: Line<Event>): Line<Event> {
  return { ...line, limit: { most, key } }
}

/** Lines of a type per minute that one request or one run of a loop may cause in any number. */
const MOST_OF_MANY = 100

/** An info line with a rate limit. `name` names the events in the line with the number of suppressed lines. */
export function infoOfMany<Event>(name: string, message: (event: Event) => string): Line<Event> {
  return limited(MOST_OF_MANY, () => name, info(message))
}

/** The message of an error, for the end of a log line. */
export function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
