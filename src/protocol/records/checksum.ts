/**
 * The two checksums of Kafka's records: CRC-32C (magic 2) and CRC-32 (magic 0 and 1).
 * Plain JavaScript wins below some 500 bytes, the processor's own instruction above; the native module that has it is
 * loaded by the first long input, to keep start-up quick.
 */
import { createRequire } from 'node:module'
import table from 'crc-32'
import tableC from 'crc-32/crc32c.js'

type Native = typeof import('@node-rs/crc32')

const NATIVE_FROM_BYTES = 512

let native: Native | undefined

/** Loaded once a process, as any module is. */
function loadNative(): Native {
  native ??= createRequire(import.meta.url)('@node-rs/crc32') as Native
  return native
}

/** CRC-32C (Castagnoli), unsigned. */
export function crc32c(bytes: Buffer): number {
  return bytes.length < NATIVE_FROM_BYTES ? tableC.buf(bytes) >>> 0 : loadNative().crc32c(bytes)
}

/** CRC-32 (IEEE), unsigned. */
export function crc32(bytes: Buffer): number {
  return bytes.length < NATIVE_FROM_BYTES ? table.buf(bytes) >>> 0 : loadNative().crc32(bytes)
}
