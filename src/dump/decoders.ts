/** What a dump prints of a record's key and value: Kafka's standard decoders of plain values, and what all decoders are. */

import { KafkaError } from '../protocol/errors.ts'
import { MalformedFrame } from '../protocol/wire/bytes.ts'
import type { ItemValue, Pair } from './items.ts'

/** A record as decoders see it. */
export interface DumpedRecord {
  readonly offset: bigint
  readonly key: Buffer | null
  readonly value: Buffer | null
}

/** The `key` and `payload` of a record. Throws what `isAboutBytes` knows. */
export type RecordDecoder = (record: DumpedRecord) => Pair[]

/** Decodes a key, or a value. */
export type ValueDecoder = (bytes: Buffer) => ItemValue

const DECODERS: Readonly<Record<string, ValueDecoder>> = {
  StringDecoder: text,
  IntegerDecoder: bytes => wide(bytes, 4).readInt32BE(),
  LongDecoder: bytes => wide(bytes, 8).readBigInt64BE(),
  // Kafka prints the identity of a Java array here, which tells nothing.
  DefaultDecoder: bytes => bytes.toString('hex')
}

const PACKAGES = ['', 'org.apache.kafka.tools.api.', 'kafka.serializer.']

/** The names of the decoders that there are. */
export const DECODER_NAMES: readonly string[] = Object.keys(DECODERS)

/** The decoder of a class, named with or without its package; undefined for one that we do not have. */
export function decoderOfClass(className: string): ValueDecoder | undefined {
  const name = DECODER_NAMES.find(simpleName => PACKAGES.some(prefix => className === prefix + simpleName))
  return name === undefined ? undefined : DECODERS[name]
}

/** Decodes keys and values each in its own way. */
export function plainDecoder(key: ValueDecoder, value: ValueDecoder): RecordDecoder {
  return record => {
    const pairs: Pair[] = []
    if (record.key !== null) pairs.push(['key', key(record.key)])
    if (record.value !== null) pairs.push(['payload', value(record.value)])
    return pairs
  }
}

/** Whether an error says that bytes are not what they should be; others are our own bugs. */
export function isAboutBytes(error: unknown): error is Error {
  return error instanceof KafkaError || error instanceof MalformedFrame
}

function wide(bytes: Buffer, length: number): Buffer {
  if (bytes.length < length) throw new MalformedFrame(`${bytes.length} bytes are no number of ${length}`)
  return bytes
}

const SURROGATE_LEAD = 0xed
const NEVER_UTF8 = 0xff

/**
 * Bytes as text. What is no UTF-8 becomes the replacement character as in Java, which takes an encoded surrogate for one
 * mistake where others see two or three.
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
