/**
 * The log of the command line: pino on stderr, written at once, so that the last lines of a dying process are there.
 * On a terminal the lines are made readable by a printer in this process; it is not even loaded elsewhere.
 */
import { destination, type LoggerOptions, pino, stdTimeFunctions } from 'pino'
import type { Logger } from '../runtime/logger.ts'

/** How much is logged. */
export type LogLevel = 'debug' | 'info' | 'warn' | 'error' | 'silent'

const STDERR = 2

/** A logger on stderr; `readable` lines are for people, others are JSON. */
export async function openLog(level: LogLevel, form: 'readable' | 'json'): Promise<Logger> {
  const options: LoggerOptions = { level, base: null, timestamp: stdTimeFunctions.isoTime }
  if (form === 'json') return pino(options, destination({ fd: STDERR, sync: true }))
  const { default: pretty } = await import('pino-pretty')
  return pino(options, pretty({ destination: STDERR, sync: true, translateTime: 'SYS:HH:MM:ss.l', singleLine: true }))
}
