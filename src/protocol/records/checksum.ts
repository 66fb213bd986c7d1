/**
 * Checksums of Kafka's records: CRC-32C (magic 2) and CRC-32 (magic 0 and 1). Plain JavaScript is faster below about 500 bytes,
 * the processor's CRC instruction above. The first long input loads the native module, which keeps the start fast. If the module
 * has no binary for this machine, the slower JavaScript code computes all checksums.
 */
import table from 'crc-32'
import tableC from 'crc-32/crc32c.js'
import { lazyModule } from '../../runtime/lazy.ts'

const NATIVE_FROM_BYTES = 512

/** Both checksums, as unsigned numbers. */
interface Checksums {
  crc32c(bytes: Buffer): number
  crc32(bytes: Buffer): number
}

/** JavaScript code for inputs of any length. */
export const plain: Checksums = {
  crc32c: bytes => tableC.buf(bytes) >>> 0,
  crc32: bytes => table.buf(bytes) >>> 0
}

const native = lazyModule<Checksums>('@node-rs/crc32', () => plain)

/** CRC-32C (Castagnoli), unsigned. */
export function crc32c(bytes: Buffer): number {
  return (bytes.length < NATIVE_FROM_BYTES ? plain : native()).crc32c(bytes)
}

/** CRC-32 (IEEE), unsigned. */
export function crc32(bytes: Buffer): number {
  return (bytes.length < NATIVE_FROM_BYTES ? plain : native()).crc32(bytes)
}
