/** Isolation levels of consumers in Fetch and ListOffsets (KIP-98). */

/** Reads below the high watermark. */
const READ_UNCOMMITTED = 0
/** Reads below the last stable offset, without the records of aborted transactions. */
export const READ_COMMITTED = 1

export function isIsolationLevel(level: number): boolean {
  return level === READ_UNCOMMITTED || level === READ_COMMITTED
}
