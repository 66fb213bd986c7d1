/**
 * The two checksums of Kafka's records: CRC-32C (magic 2) and CRC-32 (magic 0 and 1).
 * Plain JavaScript wins below some 500 bytes, the processor's own instruction above; the native module that has it is
 * loaded by the first long input, to keep start-up quick.
 */
import table from 'crc-32'
import tableC from 'crc-32/crc32c.js'
import { lazyModule } from '../../runtime/lazy.ts'

const NATIVE_FROM_BYTES = 512

const native = lazyModule<typeof import('@node-rs/crc32')>('@node-rs/crc32')

/** CRC-32C (Castagnoli), unsigned. */
export function crc32c(bytes: Buffer): number {
  return bytes.length < NATIVE_FROM_BYTES ? tableC.buf(bytes) >>> 0 : native().crc32c(bytes)
}

/** CRC-32 (IEEE), unsigned. */
export function crc32(bytes: Buffer): number {
  return bytes.length < NATIVE_FROM_BYTES ? table.buf(bytes) >>> 0 : native().crc32(bytes)
}
