/** Which segments become one: neighbours, as long as what they come to cannot be too large for one segment. */
import type { LogConfig } from '../partition-log/log-config.ts'

const LARGEST_RELATIVE_OFFSET = 2_147_483_647n

/** What grouping looks at of a segment: bytes of the log and of its two indexes. */
export interface SegmentSizes {
  readonly baseOffset: bigint
  readonly size: number
  readonly indexBytes: { readonly offsets: number; readonly times: number }
}

/** Neighbours in groups, in order. `endOffset` is where the last of them ends at most. */
export function groupsOf<T extends SegmentSizes>(
  segments: readonly T[],
  { segmentBytes, segmentIndexBytes }: LogConfig,
  endOffset: bigint
): T[][] {
  const groups: T[][] = []
  let log = 0
  let offsets = 0
  let times = 0
  for (const [index, segment] of segments.entries()) {
    const group = groups.at(-1)
    log += segment.size
    offsets += segment.indexBytes.offsets
    times += segment.indexBytes.times
    const end = segments[index + 1]?.baseOffset ?? endOffset
    const reaches = segment.size === 0 || end - 1n - (group?.[0]?.baseOffset ?? 0n) <= LARGEST_RELATIVE_OFFSET
    if (group && reaches && log <= segmentBytes && offsets <= segmentIndexBytes && times <= segmentIndexBytes) {
      group.push(segment)
      continue
    }
    groups.push([segment])
    log = segment.size
    offsets = segment.indexBytes.offsets
    times = segment.indexBytes.times
  }
  return groups
}
