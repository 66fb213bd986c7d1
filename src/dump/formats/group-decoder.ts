/**
 * The records of __consumer_offsets as dump-log shows them. The bytes of members of a classic group are decoded if its
 * protocol type is `consumer`.
 */
import { GROUP_TYPES } from '../../group/records.ts'
import { SHARE_GROUP_TYPES } from '../../group/share/records.ts'
import { STREAMS_GROUP_TYPES } from '../../group/streams/records.ts'
import {
  CONSUMER_PROTOCOL,
  CONSUMER_PROTOCOL_NEWEST,
  ConsumerProtocolAssignment,
  ConsumerProtocolSubscription
} from '../../protocol/consumer-protocol.ts'
import { RecordType } from '../../protocol/keyed-record.ts'
import { ByteReader, MalformedFrame } from '../../protocol/wire/bytes.ts'
import type { Message } from '../../protocol/wire/compile.ts'
import type { Shape } from '../../protocol/wire/schema.ts'
import { coordinatorDecoder } from './coordinator-decoder.ts'
import { type Special, shapeJson } from './json-text.ts'

const consumerProtocol: Special = (name, value) => {
  if (!Buffer.isBuffer(value)) return undefined
  if (name === 'subscription') return protocolJson(ConsumerProtocolSubscription, value)
  return name === 'assignment' ? protocolJson(ConsumerProtocolAssignment, value) : undefined
}

const { OffsetCommit, GroupMetadata } = GROUP_TYPES
/** As brokers before 0.9 wrote it, with the same fields. */
const legacyOffsetCommit = new RecordType(0, OffsetCommit.key.shape, OffsetCommit.value.shape, 4, 4)

const TYPES = { ...GROUP_TYPES, ...SHARE_GROUP_TYPES, ...STREAMS_GROUP_TYPES }

/** The offsets and the members of groups. */
export const groupDecoder = coordinatorDecoder(
  [legacyOffsetCommit, ...Object.values(TYPES)],
  (typeId, { protocolType }) =>
    typeId === GroupMetadata.typeId && protocolType === CONSUMER_PROTOCOL ? consumerProtocol : undefined
)

/** undefined for other bytes: they are shown as bytes. */
function protocolJson<S extends Shape>({ shape, read }: Message<S>, value: Buffer): string | undefined {
  try {
    const reader = new ByteReader(value)
    const version = reader.int16()
    if (version < 0 || version > CONSUMER_PROTOCOL_NEWEST) return undefined
    return shapeJson(shape, read(reader, version), version)
  } catch (error) {
    if (error instanceof MalformedFrame) return undefined
    throw error
  }
}
