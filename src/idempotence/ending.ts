/** What a transaction marker says to a partition, as its batch has it. */
import type { RecordBatch } from '../protocol/records/batch.ts'
import { controlTypeOf, coordinatorEpochOf } from '../protocol/records/control.ts'
import { recordsOf } from '../protocol/records/record.ts'

/** The end of a producer's transaction. */
export interface Ending {
  readonly producerId: bigint
  readonly producerEpoch: number
  readonly coordinatorEpoch: number
  readonly isAborted: boolean
  readonly timestamp: bigint
}

/** The end that a control batch tells of; undefined for one that tells of something else, or was emptied by compaction. */
export function endingIn(batch: RecordBatch): Ending | undefined {
  const { producerId, producerEpoch } = batch
  const [record] = recordsOf(batch)
  const type = record && controlTypeOf(record.key)
  if (!record || (type !== 'ABORT' && type !== 'COMMIT')) return undefined
  const coordinatorEpoch = coordinatorEpochOf(record.value)
  return { producerId, producerEpoch, coordinatorEpoch, isAborted: type === 'ABORT', timestamp: record.timestamp }
}
