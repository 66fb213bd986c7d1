/** An event of every type, for tests of sinks. */
import type { Event, EventOf } from '../../src/events/event.ts'

type Samples = { readonly [Type in Event['type']]: Omit<EventOf<Type>, 'type'> }

const error = new Error('the disk is full')
const peer = { remoteAddress: '127.0.0.1', remotePort: 51_512, listenerName: 'PLAINTEXT' }
const request = { api: 'Fetch', apiVersion: 17, clientId: 'shop', peer: '127.0.0.1:51512', tookMs: 3 }
const member = { groupId: 'orders', memberId: 'm-1', groupInstanceId: null, clientId: 'shop' }
const producer = { transactionalId: 'pay-1', producerId: 7n, oldEpoch: 3, newEpoch: 4 }
const client = '127.0.0.1:51512'
const log = { topicPartition: 'orders-0' }
const topic = { topic: 'orders', topicId: 'J5MVhC4LQ4u3oPUZ3z2vyA' }
const path = 'orders-0/00000000000000000000.snapshot'

const SAMPLES: Samples = {
  RequestCompleted: request,
  RequestFailed: { ...request, error },
  CodecMissing: { codec: 'lz4', error },
  StorageFailed: { error },
  BrokerStarted: { tookMs: { lockMs: 1, metadataMs: 20 } },
  StartCleanupFailed: { error },
  EventSinkFailed: { error },
  ConnectionRefused: { remoteAddress: '10.0.0.1', cause: 'max.connections.per.ip', limit: 2 },
  ConnectionNotAccepted: { error },
  ConnectionClosed: { ...peer, reason: { cause: 'IncompleteRequest' } },
  IdleConnectionClosed: { ...peer, maxIdleMs: 1000 },
  ConnectionFailed: { ...peer, error },
  SocketFailed: { ...peer, error },
  RecordsRefused: { ...peer, topicPartition: 'orders-0', errorCode: 'CORRUPT_MESSAGE', detail: 'invalid checksum' },
  GroupStateChanged: {
    groupId: 'orders',
    from: 'Stable',
    to: 'PreparingRebalance',
    generationId: 3,
    members: 2,
    reason: { cause: 'MemberJoined', memberId: 'm-1', clientReason: null }
  },
  MemberJoined: { ...member, protocol: 'consumer', clientHost: '/127.0.0.1' },
  StaticMemberReplaced: { groupId: 'orders', groupInstanceId: 'i', previousMemberId: 'm-0', memberId: 'm-1' },
  MemberLeft: { ...member, isTemporary: false },
  MemberFenced: { ...member, groupInstanceId: 'i', timeout: 'session' },
  MemberRefused: { ...member, errorCode: 'FENCED_MEMBER_EPOCH', errorMessage: null },
  GroupEpochBumped: { groupId: 'orders', groupEpoch: 4, reason: 'TopicsChanged' },
  GroupConverted: { groupId: 'orders', from: 'classic', to: 'consumer', groupEpoch: 4, members: 2 },
  GroupDowngradeRefused: { groupId: 'orders', members: 3, maxSize: 2 },
  RegularExpressionSkipped: { groupId: 'orders', regularExpression: '(', error },
  OffsetsExpired: { groupId: 'orders', count: 2 },
  OffsetsDeleted: { groupId: 'orders', count: 2 },
  OffsetsRemovalFailed: { groupId: 'orders', error },
  SegmentRolled: { ...log, baseOffset: 200n },
  SegmentsDeleted: {
    ...log,
    count: 2,
    firstBaseOffset: 0n,
    lastBaseOffset: 100n,
    bytes: 2048,
    logStartOffset: 200n,
    reason: { cause: 'retention.ms', limit: 1000 }
  },
  RetentionFailed: { ...log, error },
  LogDamaged: { ...log, error },
  PartitionOffline: { ...log, cause: 'disk', error },
  LogTruncatedFully: { ...log, logEndOffset: 7n, startOffset: 9n },
  ProducerSnapshotDamaged: { path, error },
  ProducerSnapshotWriteFailed: { path, error },
  ProducerStateIncomplete: { ...log, error },
  LogCompacted: { ...log, bytesBefore: 2048, bytesAfter: 1024, recordsDropped: 20, tookMs: 5 },
  CompactionAborted: { ...log, error },
  CompactionFailed: { ...log, error },
  LogUncleanable: { ...log, error },
  CleanerOffsetInvalid: { ...log, checkpoint: 9n, firstDirtyOffset: 7n },
  CleanerFailed: { error },
  UncleanShutdownDetected: { partitions: 12 },
  RecoveryProgressed: { partitions: 3, partitionsTotal: 12, bytes: 1024, bytesTotal: 4096 },
  LogTruncated: {
    ...log,
    baseOffset: 100n,
    endOffset: 120n,
    cutBytes: 5,
    removedSegments: 1,
    detail: 'invalid checksum'
  },
  IndexesRebuilt: { ...log, baseOffset: 100n, detail: 'the offset index is missing' },
  OrphanedIndexesRemoved: { ...log, paths: ['orders-0/00000000000000000100.index'] },
  LeaderEpochsDamaged: log,
  CompactionCompleted: { ...log, startOffset: 0n, endOffset: 100n },
  RecordsLost: { ...log, logEndOffset: 7n, recoveryPoint: 10n },
  PartitionFolderMissing: log,
  StrayPartitionRenamed: { ...log, folder: 'orders-0.abc-stray' },
  FolderIgnored: { folder: 'orders-00' },
  PartitionDeletionFailed: { ...log, error },
  FileRemovalFailed: { path, error },
  CheckpointDamaged: { path: 'recovery-point-offset-checkpoint' },
  CheckpointWriteFailed: { error },
  CleanShutdownFailed: { subject: 'checkpoints', error },
  TopicCreated: { ...topic, partitions: 3 },
  TopicDeleted: topic,
  PartitionsAdded: { ...topic, partitions: 5 },
  LeaderChanged: { ...log, oldLeader: -1, leader: 1, leaderEpoch: 5 },
  CoordinatorTopicRefused: {
    topic: '__consumer_offsets',
    key: 'orders',
    errorCode: 'INVALID_REPLICATION_FACTOR',
    errorMessage: 'replication factor 3 is above the number of nodes'
  },
  SnapshotWritten: { path: '__cluster_metadata-0/00000000000000000042-0000000001.checkpoint', endOffset: 42n },
  SnapshotFailed: { path, error },
  SnapshotDeleted: { path },
  SnapshotRetentionFailed: { error },
  TransactionalIdCreated: { ...producer, oldEpoch: -1, newEpoch: 0, client },
  ProducerEpochBumped: { ...producer, newProducerId: 8n, client },
  ProducerFenced: { ...producer, cause: 'InitProducerId', client },
  TransactionAborted: { ...producer, cause: 'TransactionTimeout', timeoutMs: 60_000 },
  TransactionStateChanged: {
    transactionalId: 'pay-1',
    producerId: 7n,
    producerEpoch: 4,
    from: 'Ongoing',
    to: 'PrepareAbort'
  },
  TransactionalIdExpired: { transactionalId: 'pay-1', producerId: 7n },
  CoordinatorWriteFailed: { topic: '__consumer_offsets', key: 'orders', retryMs: 1000, error },
  TransactionAbortFailed: { transactionalId: 'pay-1', error },
  TransactionalIdExpirationFailed: { error },
  TransactionMarkersFailed: {
    transactionalId: 'pay-1',
    producerId: 7n,
    producerEpoch: 4,
    state: 'PrepareAbort',
    missing: ['orders-0'],
    retryMs: 1000,
    error
  },
  CoordinatorRecordsSkipped: { topic: '__consumer_offsets', recordTypeId: 12, recordType: null },
  CoordinatorLoadFailed: { topicPartition: '__consumer_offsets-3', error }
}

export const ALL_SAMPLES = Object.entries(SAMPLES).map(([type, fields]) => ({ type, ...fields }) as Event)

/** The sample of a type, with other fields. */
export function sample<Type extends Event['type']>(type: Type, changes: Partial<EventOf<Type>> = {}): EventOf<Type> {
  return { type, ...SAMPLES[type], ...changes } as unknown as EventOf<Type>
}
