/**
 * Kafka's names for the files of a segment: the base offset in 20 digits, then what the file holds, and for a file that
 * is not, or no longer, part of the log a second suffix that tells why.
 */

const DIGITS = 20
const LARGEST_OFFSET = 2n ** 63n - 1n
const LOG_NAME = /^(\d{20})\.log$/
const FILE_NAME = /^(\d{20})\.(log|index|timeindex|txnindex|snapshot)(\.deleted|\.cleaned|\.swap)?$/

/** What a segment is made of besides its `.log`. */
export type SegmentSuffix = 'log' | 'index' | 'timeindex' | 'txnindex' | 'snapshot'

/**
 * '.cleaned': what compaction is writing. '.swap': it is whole, and what it replaces is going. '.deleted': waits to be
 * removed. '': in use.
 */
export type FileStage = '' | '.deleted' | '.cleaned' | '.swap'

/** What the name of a segment's file says. */
export interface SegmentFileName {
  readonly baseOffset: bigint
  readonly suffix: SegmentSuffix
  readonly stage: FileStage
}

/** Path of one of a segment's files. */
export function segmentPath(folder: string, baseOffset: bigint, suffix: SegmentSuffix, stage: FileStage = ''): string {
  return `${folder}/${baseOffset.toString().padStart(DIGITS, '0')}.${suffix}${stage}`
}

/** Reads the name of a file in a partition's folder; undefined for one that is not a segment's. */
export function parseSegmentFile(name: string): SegmentFileName | undefined {
  const [, digits = '', suffix, stage = ''] = FILE_NAME.exec(name) ?? []
  const baseOffset = offsetIn(digits)
  if (baseOffset === undefined) return undefined
  return { baseOffset, suffix: suffix as SegmentSuffix, stage: stage as FileStage }
}

/** The base offset in the name of a `.log` file, undefined for any other name. */
export function baseOffsetOf(name: string): bigint | undefined {
  return offsetIn(LOG_NAME.exec(name)?.[1] ?? '')
}

/** 20 digits have room for more than an offset has. */
function offsetIn(digits: string): bigint | undefined {
  if (digits === '') return undefined
  const offset = BigInt(digits)
  return offset <= LARGEST_OFFSET ? offset : undefined
}
