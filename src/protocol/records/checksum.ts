/**
 * The two checksums of Kafka's records: CRC-32C (magic 2) and CRC-32 (magic 0 and 1).
 * Plain JavaScript wins below some 500 bytes, the processor's own instruction above; the native module that has it is
 * loaded by the first long input, to keep start-up quick. Where it has no binary JavaScript serves, only slower.
 */
import table from 'crc-32'
import tableC from 'crc-32/crc32c.js'
import { lazyModule } from '../../runtime/lazy.ts'

const NATIVE_FROM_BYTES = 512

/** Both checksums, unsigned. */
interface Checksums {
  crc32c(bytes: Buffer): number
  crc32(bytes: Buffer): number
}

/** In JavaScript, for inputs of any length. */
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
