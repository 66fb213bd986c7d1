/**
 * Kafka's names for the files of a segment: the base offset in 20 digits, then the content of the file. A file that is not
 * part of the log has a second suffix.
 */

const DIGITS = 20
const LARGEST_OFFSET = 2n ** 63n - 1n
const LOG_NAME = /^(\d{20})\.log$/
const FILE_NAME = /^(\d{20})\.(log|index|timeindex|txnindex|snapshot)(\.deleted|\.cleaned|\.swap)?$/

/** Suffixes of a segment's files. */
export type SegmentSuffix = 'log' | 'index' | 'timeindex' | 'txnindex' | 'snapshot'

/**
 * Stage of a segment's file, its second suffix:
 * - '': part of the log
 * - '.cleaned': compaction is writing the file
 * - '.swap': the file is complete, and the segments that it replaces are being removed
 * - '.deleted': the file is removed after file.delete.delay.ms
 */
export type FileStage = '' | '.deleted' | '.cleaned' | '.swap'

/** The parts of a file name of a segment. */
export interface SegmentFileName {
  readonly baseOffset: bigint
  readonly suffix: SegmentSuffix
  readonly stage: FileStage
}

/** Path of one of a segment's files. */
export function segmentPath(folder: string, baseOffset: bigint, suffix: SegmentSuffix, stage: FileStage = ''): string {
  return `${folder}/${baseOffset.toString().padStart(DIGITS, '0')}.${suffix}${stage}`
}

/** Parses the name of a file in a partition's folder; undefined if it is not a file of a segment. */
export function parseSegmentFile(name: string): SegmentFileName | undefined {
  const [, digits = '', suffix, stage = ''] = FILE_NAME.exec(name) ?? []
  const baseOffset = offsetIn(digits)
  if (baseOffset === undefined) return undefined
  return { baseOffset, suffix: suffix as SegmentSuffix, stage: stage as FileStage }
}

/** The base offset in the name of a `.log` file; undefined for any other name. */
export function baseOffsetOf(name: string): bigint | undefined {
  return offsetIn(LOG_NAME.exec(name)?.[1] ?? '')
}

/** The offset in 20 digits; undefined if there are none or if the number exceeds 64 bits. */
function offsetIn(digits: string): bigint | undefined {
  if (digits === '') return undefined
  const offset = BigInt(digits)
  return offset <= LARGEST_OFFSET ? offset : undefined
}
