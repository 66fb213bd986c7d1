// The records of groups and commits in __consumer_offsets: equal, so that either broker can load them.
import { partitionFor } from '../../../../src/coordinator/partitioner.ts'
import { decodeRecord, type GroupRecord, groupIdOf } from '../../../../src/group/records.ts'
import { APIS } from '../../../../src/protocol/messages/index.ts'
import { batchesIn } from '../../../../src/protocol/records/batch.ts'
import { recordsOf } from '../../../../src/protocol/records/record.ts'
import type { Session } from '../session.ts'
import { arrange, call, type Step } from '../transcript.ts'
import { Group } from './group.ts'
import { gone, idOf, topic, nameOf as topicName } from './topic.ts'

const { DeleteTopics, Fetch, OffsetCommit, OffsetFetch } = APIS
const OFFSETS_TOPIC = '__consumer_offsets'
const OFFSETS_PARTITIONS = 50
const TOPIC = 'recorded'
const GIVEN_ID = 'a given id'
const DOOMED = 'recorded-doomed'

/** The records of one group in order; `since` as for any call. */
export const records = (groupId: string, since?: string) => {
  const partition = partitionFor(groupId, OFFSETS_PARTITIONS)
  const fromStart = { partition, fetchOffset: 0n, partitionMaxBytes: 10 << 20 }
  const request = { maxWaitMs: 0, minBytes: 0, topics: [{ topic: OFFSETS_TOPIC, partitions: [fromStart] }] }
  return call(`what is recorded of ${groupId}`, Fetch, 12, request, {
    ...(since && { since }),
    compare: ({ responses }, session) => {
      const [found] = responses[0]?.partitions ?? []
      return { errorCode: found?.errorCode, records: found?.records ? recordsIn(found.records, groupId, session) : [] }
    }
  })
}

interface Recorded {
  readonly type: string
  readonly key: object
  readonly value?: object | null
}

function recordsIn(bytes: Buffer, groupId: string, session: Session): unknown[] {
  const found = [...batchesIn(bytes)]
    .filter(batch => !batch.isControl)
    .flatMap(batch => recordsOf(batch))
    .flatMap(({ key, value, headers }): Recorded[] => {
      if (key === null) return [{ type: 'a record without a key', key: {} }]
      const record = decodeRecord({ key, value })
      if (record.type === 'Skipped' || groupIdOf(record) !== groupId) return []
      const versions = [key.readInt16BE(), value?.readInt16BE()]
      return [Object.assign(comparable(record, session), { versions, headers })]
    })
  return inOrder(found)
}

/**
 * Masks values that depend on timing and ids: the order of members and topics, client hosts, hashes of topics (made of
 * topic ids), metadata versions.
 */
function comparable(record: GroupRecord, session: Session): Recorded {
  const key = 'memberId' in record.key ? { ...record.key, memberId: nameOf(record.key.memberId) } : record.key
  if (record.value === null) return { ...record, key }
  switch (record.type) {
    case 'GroupMetadata': {
      const members = record.value.members.toSorted((a, b) => Buffer.compare(a.subscription, b.subscription))
      return { ...record, value: { ...record.value, members: members.map(withoutAddress) } }
    }
    case 'ConsumerGroupMetadata':
      return { ...record, value: { ...record.value, metadataHash: record.value.metadataHash === 0n ? 'none' : 'some' } }
    case 'ConsumerGroupMemberMetadata':
      return { ...record, key, value: withoutAddress(record.value) }
    case 'ConsumerGroupTargetAssignmentMember':
      return { ...record, key, value: named(record.value.topicPartitions, session) }
    case 'ConsumerGroupCurrentMemberAssignment': {
      const { assignedPartitions, partitionsPendingRevocation, ...standing } = record.value
      const assigned = named(assignedPartitions, session)
      return { ...record, key, value: { ...standing, assigned, revoked: named(partitionsPendingRevocation, session) } }
    }
    case 'ConsumerGroupRegularExpression':
      return { ...record, value: { ...record.value, version: record.value.version > 0n ? 'some' : 'none' } }
    default:
      return { ...record, key }
  }
}

interface Partitions {
  readonly topicId: string
  readonly partitions: readonly number[]
  readonly assignmentEpochs?: readonly number[] | null
}

/** Partitions by topic name, each with its epoch if it has one. */
function named(topics: readonly Partitions[], session: Session): object[] {
  const places = topics.map(({ topicId, partitions, assignmentEpochs }) => {
    const epochs = partitions.map((partition, index) => ({ partition, since: assignmentEpochs?.[index] ?? null }))
    return { topic: topicName(session, topicId), epochs }
  })
  return places.toSorted((topic, other) => (topic.topic < other.topic ? -1 : 1))
}

/** Ids of one letter are chosen by members, all others are random. */
function nameOf(memberId: string): string {
  return memberId.length === 1 ? memberId : GIVEN_ID
}

function withoutAddress<T extends { readonly clientHost: string }>(member: T): T {
  return { ...member, clientHost: member.clientHost.replace(/[0-9.:]+$/, '<address>') }
}

/** Sorts runs of records of the same type, because several members have no defined order. */
function inOrder(records: readonly Recorded[]): Recorded[] {
  const runs: Recorded[][] = []
  for (const record of records) {
    const run = runs.at(-1)
    if (run?.[0]?.type === record.type) run.push(record)
    else runs.push([record])
  }
  return runs.flatMap(run => run.toSorted((a, b) => (orderOf(a) < orderOf(b) ? -1 : Number(orderOf(a) > orderOf(b)))))
}

/** The sort key of a record; a member with a random id is sorted by its value. */
function orderOf({ key, value }: Recorded): string {
  if (!('memberId' in key)) return ''
  const text = (_: string, inner: unknown) => (typeof inner === 'bigint' ? `${inner}` : inner)
  return key.memberId === GIVEN_ID ? `${GIVEN_ID} ${JSON.stringify(value, text)}` : `${key.memberId}`
}

const outside = (groupId: string, version: number, name: string, more: object = {}, retentionTimeMs = -1n) =>
  call(`${groupId} commits to ${name}`, OffsetCommit, version, session => ({
    ...{ groupId, retentionTimeMs },
    topics: [
      {
        ...{ name, topicId: idOf(session, name) },
        partitions: [{ partitionIndex: 0, committedOffset: BigInt(version), committedMetadata: 'm', ...more }]
      }
    ]
  }))

const simple: Step[] = [
  topic(TOPIC),
  topic(DOOMED),
  new Group('recorded-simple').found(),
  ...[2, 5, 6, 9, 10].map(version => outside('recorded-simple', version, TOPIC)),
  outside('recorded-simple', 9, TOPIC, { committedLeaderEpoch: 0, committedMetadata: null }),
  outside('recorded-simple', 3, TOPIC, {}, 5000n),
  outside('recorded-simple', 4, TOPIC, {}, 0n),
  outside('recorded-simple', 9, TOPIC, { committedMetadata: 'x'.repeat(5000) }),
  outside('recorded-simple', 9, DOOMED),
  records('recorded-simple'),
  arrange(`${DOOMED} is deleted`, session =>
    session.sendRequest(DeleteTopics, 5, { topicNames: [DOOMED], timeoutMs: 30_000 })
  ),
  gone(DOOMED),
  arrange('its offsets are gone', session =>
    session.requestUntil(OffsetFetch, 7, { groupId: 'recorded-simple', topics: null }, ({ topics }) =>
      topics.every(({ name }) => name !== DOOMED)
    )
  ),
  records('recorded-simple')
]

const life = new Group('recorded-life')
const options = {
  protocols: { range: 'a', sticky: 'a, otherwise' },
  sessionTimeoutMs: 20_000,
  rebalanceTimeoutMs: 25_000
}
const members: Step[] = [
  life.found(),
  // Kafka responds with a member id before it writes the record of the new group; the next look sees it.
  life.newcomer('a', options),
  life.join('a', 'joins', options),
  records(life.id),
  life.sync('a', 'assigns', { assignments: { a: 'all' } }),
  records(life.id),
  life.join('a', 'joins again', options),
  records(life.id),
  life.sync('a', 'assigns', { assignments: { a: 'all again' } }),
  ...life.gather('a', options, ['b'], ['c', { instance: 'C', memberId: '', version: 5 }]),
  life.sync('a', 'assigns', { assignments: { a: 'half', c: 'half' } }),
  records(life.id),
  life.join('c2', 'takes the place of c', { instance: 'C', memberId: '', protocols: { range: 'changed' } }),
  records(life.id),
  life.leave('one leaves', 'b'),
  records(life.id),
  life.leave('all leave', 'a', { instance: 'C' }),
  records(life.id),
  ...life.enter('d', { protocolType: 'connect' }),
  life.leave('d leaves before it has assigned', 'd'),
  records(life.id)
]

const refused = new Group('recorded-refusal')
const refusals: Step[] = [
  refused.found(),
  refused.join('a', 'has no protocols', { memberId: '', protocols: {} }),
  outside(refused.id, 9, TOPIC),
  records(refused.id)
]

export const groupRecords: Step[] = [...simple, ...members, ...refusals]
