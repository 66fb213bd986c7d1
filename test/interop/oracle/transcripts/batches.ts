// Record batches for the transcripts, right and wrong: fixed times, so that what is stored and found can be compared.
import type { RecordBatch } from '../../../../src/protocol/records/batch.ts'
import { type BatchOptions, buildBatch } from '../../../../src/protocol/records/builder.ts'

/** The time of every first record; the others follow by a second each. */
export const TIME = 1_700_000_000_000n
const SECOND = 1000n

/** A batch of records with these values, and the key `k`. */
export function batch(
  values: readonly string[],
  options: BatchOptions & { time?: bigint; key?: null } = {}
): RecordBatch {
  const { time = TIME, key = Buffer.from('k'), ...rest } = options
  const records = values.map((value, index) => ({
    timestamp: time + BigInt(index) * SECOND,
    key,
    value: Buffer.from(value),
    headers: [{ key: 'h', value: Buffer.from(`${index}`) }]
  }))
  return buildBatch(records, rest)
}

/** Its bytes. */
export function bytes(values: readonly string[], options: BatchOptions & { time?: bigint; key?: null } = {}): Buffer {
  return batch(values, options).bytes
}

/** A batch of two records with a field changed and a CRC that holds again. */
export function altered(change: (batch: Buffer) => void, options: BatchOptions = {}): Buffer {
  const whole = batch(['a', 'b'], options)
  change(whole.bytes)
  whole.seal()
  return whole.bytes
}
