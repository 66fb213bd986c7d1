/** What is to be dumped, and how: Kafka's options and ours, parsed. */
import type { RecordDecoder } from './decoders.ts'

export interface DumpOptions {
  /** Print keys and values, decoded by `decoder`. */
  readonly print: boolean
  /** Show records, too. */
  readonly deep: boolean
  readonly skipRecordMetadata: boolean
  readonly decoder: RecordDecoder
  /** How much of the log is looked at for an entry of its offset index. */
  readonly maxMessageSize: number
  /** How much of a log is read; undefined: all of it. */
  readonly maxBytes: number | undefined
  readonly indexSanityCheck: boolean
  readonly verifyIndexOnly: boolean
  /** What is legal, though Kafka's tool remarks on it, is not to be told. */
  readonly verifying?: boolean
  readonly filter: Filter
}

/** What is shown; undefined: everything. */
export interface Filter {
  readonly fromOffset: bigint | undefined
  /** Inclusive. */
  readonly toOffset: bigint | undefined
  /** The decoded key, as text. */
  readonly key: string | undefined
  readonly producerId: bigint | undefined
}

/** Whether offsets `first` to `last` overlap the range of the filter. */
export function isInRange({ fromOffset, toOffset }: Filter, first: bigint, last = first): boolean {
  return (fromOffset === undefined || last >= fromOffset) && (toOffset === undefined || first <= toOffset)
}
