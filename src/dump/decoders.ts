/** Decoders of record keys and values: the interface of all decoders, and Kafka's standard decoders of plain values. */

import { KafkaError } from '../protocol/errors.ts'
import { MalformedFrame } from '../protocol/wire/bytes.ts'
import type { ItemValue, Pair } from './items.ts'

/** The input of a decoder. */
export interface DumpedRecord {
  readonly offset: bigint
  readonly key: Buffer | null
  readonly value: Buffer | null
}

/** Decodes a record into its `key` and `payload`. Throws errors for which `isAboutBytes` is true. */
export type RecordDecoder = (record: DumpedRecord) => Pair[]

/** Decodes a key or a value. */
export type ValueDecoder = (bytes: Buffer) => ItemValue

const DECODERS: Readonly<Record<string, ValueDecoder>> = {
  StringDecoder: text,
  IntegerDecoder: bytes => wide(bytes, 4).readInt32BE(),
  LongDecoder: bytes => wide(bytes, 8).readBigInt64BE(),
  // Differs from Kafka, which prints the identity of a Java array here instead of its bytes.
  DefaultDecoder: bytes => bytes.toString('hex')
}

const PACKAGES = ['', 'org.apache.kafka.tools.api.', 'kafka.serializer.']

/** The names of the standard decoders. */
export const DECODER_NAMES: readonly string[] = Object.keys(DECODERS)

/** The decoder of a class name, with or without its package; undefined for other classes. */
export function decoderOfClass(className: string): ValueDecoder | undefined {
  const name = DECODER_NAMES.find(simpleName => PACKAGES.some(prefix => className === prefix + simpleName))
  return name === undefined ? undefined : DECODERS[name]
}

/** Combines a decoder of keys and a decoder of values. */
export function plainDecoder(key: ValueDecoder, value: ValueDecoder): RecordDecoder {
  return record => {
    const pairs: Pair[] = []
    if (record.key !== null) pairs.push(['key', key(record.key)])
    if (record.value !== null) pairs.push(['payload', value(record.value)])
    return pairs
  }
}

/** True for an error about invalid bytes. All other errors are bugs of minikafka. */
export function isAboutBytes(error: unknown): error is Error {
  return error instanceof KafkaError || error instanceof MalformedFrame
}

function wide(bytes: Buffer, length: number): Buffer {
  if (bytes.length < length)
    throw new MalformedFrame(`${bytes.length} bytes are too few for a number of ${length} bytes`)
  return bytes
}

const SURROGATE_LEAD = 0xed
const NEVER_UTF8 = 0xff

/**
 * Decodes UTF-8 as Java does: invalid bytes become the replacement character. Java replaces an encoded surrogate by one
 * character, Node by two or three.
 */
function text(bytes: Buffer): string {
  if (!bytes.includes(SURROGATE_LEAD)) return bytes.toString('utf8')
  const mended: number[] = []
  for (let at = 0; at < bytes.length; at++) {
    const byte = bytes[at] ?? 0
    const isSurrogate = byte === SURROGATE_LEAD && (bytes[at + 1] ?? 0) >= 0xa0 && (bytes[at + 1] ?? 0) < 0xc0
    mended.push(isSurrogate ? NEVER_UTF8 : byte)
    if (isSurrogate) at += ((bytes[at + 2] ?? 0) & 0xc0) === 0x80 ? 2 : 1
  }
  return Buffer.from(mended).toString('utf8')
}
