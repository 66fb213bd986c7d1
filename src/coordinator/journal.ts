/** The log of one partition of a coordinator's topic, as far as a coordinator needs it. */
import type { KeyValue } from '../protocol/keyed-record.ts'
import type { TxnResult } from '../protocol/records/control.ts'
import type { Steps } from '../runtime/pace.ts'

/** In whose name records are written: they count once its transaction has been committed. */
export interface JournalProducer {
  readonly producerId: bigint
  readonly producerEpoch: number
}

/** Who listens to a replay. */
export interface StateReader {
  /** A record, and the producer in whose transaction it was written. */
  record(record: KeyValue, producerId: bigint | undefined): void
  /** The transaction of a producer has ended here. */
  ended?(producerId: bigint, result: TxnResult): void
}

export interface StateJournal {
  /** Of the partition's leader at this moment. Transaction markers carry it, and are fenced by it. */
  readonly coordinatorEpoch: number
  /** Writes all of the records as one batch, or throws (a KafkaError where the log says why) and has written none. */
  append(records: readonly KeyValue[], producer?: JournalProducer): void
  /** How many bytes one call of append may bring (max.message.bytes of the topic). */
  maxBatchBytes(): number
  /** Hands over everything from the first to the last, in steps. Buffers are the journal's own. */
  replay(reader: StateReader): Steps
  /** Resolves once answers may rest on all that was appended; undefined when they may now. */
  settled(): Promise<void> | undefined
}
