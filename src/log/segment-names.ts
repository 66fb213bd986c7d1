/** Kafka's names for the files of a segment: the base offset in 20 digits, then what the file holds. */

const DIGITS = 20
const LOG_NAME = /^(\d{20})\.log$/

/** What a segment is made of besides its `.log`. */
export type SegmentSuffix = 'log' | 'index' | 'timeindex' | 'txnindex' | 'snapshot'

/** Path of one of a segment's files. */
export function segmentPath(folder: string, baseOffset: bigint, suffix: SegmentSuffix): string {
  return `${folder}/${baseOffset.toString().padStart(DIGITS, '0')}.${suffix}`
}

/** The base offset in the name of a `.log` file, undefined for any other name. */
export function baseOffsetOf(name: string): bigint | undefined {
  const digits = LOG_NAME.exec(name)?.[1]
  return digits === undefined ? undefined : BigInt(digits)
}
