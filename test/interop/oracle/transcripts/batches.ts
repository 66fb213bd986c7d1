// Valid and invalid record batches for the transcripts. Timestamps are fixed, so that stored and found records can be
// compared.
import { RecordBatch } from '../../../../src/protocol/records/batch.ts'
import { type BatchOptions, buildBatch } from '../../../../src/protocol/records/builder.ts'
import type { Codec } from '../../../../src/protocol/records/compression/codecs.ts'

/** The timestamp of the first record of each batch; that of each following record is one second later. */
export const TIME = 1_700_000_000_000n
/** All codecs, and none. */
export const CODECS = ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const satisfies readonly Codec[]

const SECOND = 1000n
const HEADER_BYTES = 61
const OVERHEAD_BYTES = 12

type Options = BatchOptions & { time?: bigint; key?: null }

/** A batch of records with these values and the key `k`. */
export function batch(values: readonly (string | null)[], options: Options = {}): RecordBatch {
  const { time = TIME, key = Buffer.from('k'), ...rest } = options
  const records = values.map((value, index) => ({
    timestamp: time + BigInt(index) * SECOND,
    key,
    value: value === null ? null : Buffer.from(value),
    headers: [{ key: 'h', value: Buffer.from(`${index}`) }]
  }))
  return buildBatch(records, rest)
}

/** The bytes of such a batch. */
export function bytes(values: readonly (string | null)[], options: Options = {}): Buffer {
  return batch(values, options).bytes
}

/** A batch of two records with changed fields and a valid CRC. */
export function altered(change: (batch: Buffer) => void, options: Options = {}): Buffer {
  const whole = batch(['a', 'b'], options)
  change(whole.bytes)
  whole.seal()
  return whole.bytes
}

/** A batch of two records with a changed records part, and a matching size and CRC. */
export function withRecords(change: (records: Buffer) => Buffer, options: Options = {}): Buffer {
  const whole = bytes(['a', 'b'], options)
  const changed = Buffer.concat([whole.subarray(0, HEADER_BYTES), change(whole.subarray(HEADER_BYTES))])
  changed.writeInt32BE(changed.length - OVERHEAD_BYTES, 8)
  new RecordBatch(changed).seal()
  return changed
}

/** A batch with an invalid CRC. */
export function damaged(whole: Buffer): Buffer {
  whole.writeUInt8((whole.at(-1) ?? 0) ^ 1, whole.length - 1)
  return whole
}
