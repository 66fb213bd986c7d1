// Record batches as a consumer sees them: header fields, decompressed records. A truncated last batch is skipped, as in
// every client.
import { RecordBatch } from '../../../src/protocol/records/batch.ts'
import { recordsOf } from '../../../src/protocol/records/record.ts'

const OVERHEAD_BYTES = 12
const HEADER_BYTES = 61

/** The complete batches in `bytes`. */
export function recordsView(bytes: Buffer): readonly object[] {
  const batches: object[] = []
  for (let position = 0; position + HEADER_BYTES <= bytes.length; ) {
    const end = position + OVERHEAD_BYTES + bytes.readInt32BE(position + 8)
    if (end > bytes.length) break
    batches.push(batchView(bytes.subarray(position, end)))
    position = end
  }
  return batches
}

function batchView(batch: Buffer): object {
  return {
    baseOffset: batch.readBigInt64BE(0),
    partitionLeaderEpoch: batch.readInt32BE(12),
    magic: batch.readInt8(16),
    attributes: batch.readInt16BE(21),
    lastOffsetDelta: batch.readInt32BE(23),
    baseTimestamp: batch.readBigInt64BE(27),
    maxTimestamp: batch.readBigInt64BE(35),
    producerId: batch.readBigInt64BE(43),
    producerEpoch: batch.readInt16BE(51),
    baseSequence: batch.readInt32BE(53),
    count: batch.readInt32BE(57),
    records: recordsOf(new RecordBatch(batch))
  }
}
