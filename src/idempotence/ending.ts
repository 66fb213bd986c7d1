/** What a transaction marker says to a partition, as its batch has it. */
import type { RecordBatch } from '../protocol/records/batch.ts'
import { controlTypeOf, coordinatorEpochOf } from '../protocol/records/control.ts'
import { RecordWalker } from '../protocol/records/record.ts'

/** In bytes; markers have ten. A log may have been taken over from somebody else. */
const LARGEST_CONTROL_RECORD = 1 << 16

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
  const walker = new RecordWalker(batch, LARGEST_CONTROL_RECORD)
  if (!walker.next()) return undefined
  const record = walker.record()
  const type = controlTypeOf(record.key)
  if (type !== 'ABORT' && type !== 'COMMIT') return undefined
  const coordinatorEpoch = coordinatorEpochOf(record.value)
  return { producerId, producerEpoch, coordinatorEpoch, isAborted: type === 'ABORT', timestamp: record.timestamp }
}
