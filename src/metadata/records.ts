/**
 * The record types of the metadata log, as Kafka's controllers write them, and the frame of a record. An unknown type or version
 * is rejected, because skipping it would lose its content.
 */
import { ByteWriter } from '../protocol/wire/byte-writer.ts'
import { ByteReader, MalformedFrame } from '../protocol/wire/bytes.ts'
import { type Message, message } from '../protocol/wire/compile.ts'
import {
  absentOf,
  array,
  boolean,
  bytes,
  type Decoded,
  type Encodable,
  float64,
  int8,
  int16,
  int32,
  int64,
  nullableString,
  type Shape,
  string,
  uint16,
  uuid
} from '../protocol/wire/schema.ts'

const brokers = array(int32)
const maybeBrokers = brokers.nullableSince(0).or(null)
const maybeUuids = array(uuid).nullableSince(0).or(null)
const endPoints = array({ name: string, host: string, port: uint16, securityProtocol: int16 })
const features = array({ name: string, minSupportedVersion: int16, maxSupportedVersion: int16 })

/** Declaration of a type. `newest` is the last readable version; `written` is the version of metadata.version 25. */
interface RecordRow<S extends Shape = Shape> {
  readonly key: number
  readonly shape: S
  readonly newest: number
  readonly written: number
  readonly message: Message<S>
  /** Defaults of fields that a record does not have. */
  readonly absent: object
}

function type<const S extends Shape>(key: number, shape: S, newest = 0, written = newest): RecordRow<S> {
  return { key, shape, newest, written, message: message(shape, 0), absent: absentOf(shape) }
}

const TYPES = {
  RegisterBrokerRecord: type(
    0,
    {
      brokerId: int32,
      isMigratingZkBroker: boolean.since(2).or(false),
      incarnationId: uuid,
      brokerEpoch: int64,
      endPoints,
      features,
      rack: nullableString,
      fenced: boolean.or(true),
      inControlledShutdown: boolean.since(1).or(false),
      logDirs: array(uuid).tagged(0, 3),
      cordonedLogDirs: maybeUuids.tagged(1, 4)
    },
    4,
    3
  ),
  UnregisterBrokerRecord: type(1, { brokerId: int32, brokerEpoch: int64 }),
  TopicRecord: type(2, { name: string, topicId: uuid }),
  PartitionRecord: type(
    3,
    {
      partitionId: int32,
      topicId: uuid,
      replicas: brokers,
      isr: brokers,
      removingReplicas: brokers.or([]),
      addingReplicas: brokers.or([]),
      leader: int32,
      leaderEpoch: int32,
      partitionEpoch: int32,
      directories: array(uuid).since(1).or([]),
      leaderRecoveryState: int8.tagged(0, 0),
      eligibleLeaderReplicas: maybeBrokers.tagged(1, 2),
      lastKnownElr: maybeBrokers.tagged(2, 2)
    },
    2
  ),
  ConfigRecord: type(4, { resourceType: int8, resourceName: string, name: string, value: nullableString }),
  PartitionChangeRecord: type(
    5,
    {
      partitionId: int32,
      topicId: uuid,
      isr: maybeBrokers.tagged(0, 0),
      leader: int32.or(-2).tagged(1, 0),
      replicas: maybeBrokers.tagged(2, 0),
      removingReplicas: maybeBrokers.tagged(3, 0),
      addingReplicas: maybeBrokers.tagged(4, 0),
      leaderRecoveryState: int8.or(-1).tagged(5, 0),
      eligibleLeaderReplicas: maybeBrokers.tagged(6, 2),
      lastKnownElr: maybeBrokers.tagged(7, 2),
      directories: maybeUuids.tagged(8, 1)
    },
    2
  ),
  FenceBrokerRecord: type(7, { id: int32, epoch: int64 }),
  UnfenceBrokerRecord: type(8, { id: int32, epoch: int64 }),
  RemoveTopicRecord: type(9, { topicId: uuid }),
  DelegationTokenRecord: type(10, {
    owner: string,
    requester: string,
    renewers: array(string),
    issueTimestamp: int64,
    maxTimestamp: int64,
    expirationTimestamp: int64,
    tokenId: string
  }),
  UserScramCredentialRecord: type(11, {
    name: string,
    mechanism: int8,
    salt: bytes,
    storedKey: bytes,
    serverKey: bytes,
    iterations: int32
  }),
  FeatureLevelRecord: type(12, { name: string, featureLevel: int16 }),
  ClientQuotaRecord: type(14, {
    entity: array({ entityType: string, entityName: nullableString }),
    key: string,
    value: float64,
    remove: boolean
  }),
  ProducerIdsRecord: type(15, { brokerId: int32, brokerEpoch: int64.or(-1n), nextProducerId: int64 }),
  BrokerRegistrationChangeRecord: type(
    17,
    {
      brokerId: int32,
      brokerEpoch: int64,
      fenced: int8.tagged(0, 0),
      inControlledShutdown: int8.tagged(1, 1),
      logDirs: array(uuid).tagged(2, 2),
      cordonedLogDirs: maybeUuids.tagged(3, 3)
    },
    3,
    2
  ),
  AccessControlEntryRecord: type(18, {
    id: uuid,
    resourceType: int8,
    resourceName: string,
    patternType: int8,
    principal: string,
    host: string,
    operation: int8,
    permissionType: int8
  }),
  RemoveAccessControlEntryRecord: type(19, { id: uuid }),
  NoOpRecord: type(20, {}),
  ZkMigrationStateRecord: type(21, { zkMigrationState: int8 }),
  RemoveUserScramCredentialRecord: type(22, { name: string, mechanism: int8 }),
  BeginTransactionRecord: type(23, { name: nullableString.tagged(0, 0) }),
  EndTransactionRecord: type(24, {}),
  AbortTransactionRecord: type(25, { reason: nullableString.tagged(0, 0) }),
  RemoveDelegationTokenRecord: type(26, { tokenId: string }),
  RegisterControllerRecord: type(27, {
    controllerId: int32,
    incarnationId: uuid,
    zkMigrationReady: boolean,
    endPoints,
    features
  }),
  ClearElrRecord: type(28, { topicName: string })
}

/** Kafka's metadata record types, one row for each. */
type Types = typeof TYPES

/** Kafka's name of a metadata record type. */
export type RecordType = keyof Types

/** A metadata record of one type, with all fields. */
export type MetadataRecordOf<T extends RecordType> = { readonly type: T; readonly version: number } & Readonly<
  Decoded<Types[T]['shape']>
>

/** Any metadata record; `type` discriminates. */
export type MetadataRecord = { [T in RecordType]: MetadataRecordOf<T> }[RecordType]

const FRAME_VERSION = 1
const NAMES = new Map<number, RecordType>(Object.entries(TYPES).map(([name, { key }]) => [key, name as RecordType]))

/** A new record in the version of metadata.version 25. Omitted fields have their defaults. */
export function metadataRecord<T extends RecordType>(
  type: T,
  fields: Encodable<Types[T]['shape']>
): MetadataRecordOf<T> {
  const { absent, written }: RecordRow = TYPES[type]
  const filled: object = { type, version: written, ...absent, ...fields }
  return filled as MetadataRecordOf<T>
}

/** The fields of a type, for output as text. */
export function shapeOfType(type: RecordType): Shape {
  return TYPES[type].shape
}

/** Encodes `record` as the value of a Kafka record. */
export function encodeMetadataRecord(record: MetadataRecord): Buffer {
  const { key, message }: RecordRow = TYPES[record.type]
  const writer = new ByteWriter()
  writer.uvarint(FRAME_VERSION)
  writer.uvarint(key)
  writer.uvarint(record.version)
  message.write(writer, record, record.version)
  return writer.toBuffer()
}

/** Decodes the value of a Kafka record. Throws MalformedFrame, with a sentence, if Kafka 4.3 would not write it. */
export function decodeMetadataRecord(value: Buffer): MetadataRecord {
  const reader = new ByteReader(value)
  const frameVersion = reader.uvarint()
  if (frameVersion !== FRAME_VERSION) throw new MalformedFrame(`the metadata frame version ${frameVersion} is unknown`)
  const key = reader.uvarint()
  const type = NAMES.get(key)
  if (!type) throw new MalformedFrame(`the metadata record type ${key} is unknown`)
  const { newest, message }: RecordRow = TYPES[type]
  const version = reader.uvarint()
  if (version > newest) throw new MalformedFrame(`the version ${version} of ${type} is unknown`)
  const fields = message.read(reader, version)
  if (reader.remaining > 0) throw new MalformedFrame(`${reader.remaining} bytes follow the last field of ${type}`)
  return { type, version, ...fields } as MetadataRecord
}
