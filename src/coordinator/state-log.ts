/** Interface of a coordinator to its state topic, and to the log of one partition of it. */
import type { KeyValue } from '../protocol/keyed-record.ts'
import type { TxnResult } from '../protocol/records/control.ts'
import type { Steps } from '../runtime/pace.ts'

/** Producer of transactional records. They take effect when its transaction commits. */
export interface StateProducer {
  readonly producerId: bigint
  readonly producerEpoch: number
}

/** Callbacks of a replay. */
export interface StateReader {
  /** Receives a record, with the producer id of its transaction; undefined for a record outside of transactions. */
  record(record: KeyValue, producerId: bigint | undefined): void
  /** Receives a transaction marker of a producer. */
  ended(producerId: bigint, result: TxnResult): void
}

/** The log of one partition. */
export interface StateLog {
  /** Leader epoch of the partition at this moment. Transaction markers carry it, and an older epoch is fenced. */
  readonly coordinatorEpoch: number
  /** Appends the records as one batch. If this throws, no record is written; errors of the log are KafkaErrors. */
  append(records: readonly KeyValue[], producer?: StateProducer): void
  /** Largest batch in bytes that `append` accepts (`max.message.bytes` of the topic). */
  maxBatchBytes(): number
  /**
   * Passes all records to `reader` in order of offset, in steps. Buffers are views of the log: a reader copies the bytes that it
   * keeps.
   */
  replay(reader: StateReader): Steps
  /** Resolves when responses may be sent for all appended records; undefined if they may be sent now. */
  settled(): Promise<void> | undefined
}

/** The topic that stores a coordinator's state. */
export interface StateTopic {
  readonly topic: string
  /** Number of partitions of the topic; 0 if the topic does not exist. */
  partitionCount(): number
  /** True if this node leads the partition, and so is the coordinator of its keys. */
  leads(partition: number): boolean
  log(partition: number): StateLog
}
