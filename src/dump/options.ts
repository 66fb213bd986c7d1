/** The parsed options of a dump: those of DumpLogSegments and those that minikafka adds. */
import type { RecordDecoder } from './decoders.ts'

export interface DumpOptions {
  /** Prints keys and values, decoded by `decoder`. */
  readonly print: boolean
  /** Shows records. */
  readonly deep: boolean
  readonly skipRecordMetadata: boolean
  readonly decoder: RecordDecoder
  /** Bytes of the log that are read for an entry of its offset index. */
  readonly maxMessageSize: number
  /** Bytes of a log that are read; undefined for all. */
  readonly maxBytes: number | undefined
  readonly indexSanityCheck: boolean
  readonly verifyIndexOnly: boolean
  /** Suppresses findings of DumpLogSegments about legal files, for `--verify`. */
  readonly verifying?: boolean
  readonly filter: Filter
}

/** The filter of shown batches and records; an undefined member does not filter. */
export interface Filter {
  readonly fromOffset: bigint | undefined
  /** Inclusive. */
  readonly toOffset: bigint | undefined
  /** The decoded key as it is printed. */
  readonly key: string | undefined
  readonly producerId: bigint | undefined
}

/** True if offsets `first` to `last` (inclusive) overlap the range of the filter. */
export function isInRange({ fromOffset, toOffset }: Filter, first: bigint, last = first): boolean {
  return (fromOffset === undefined || last >= fromOffset) && (toOffset === undefined || first <= toOffset)
}
