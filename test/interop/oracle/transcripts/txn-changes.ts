// Transactions during other changes: topics that are deleted, recreated or extended; clients of both transaction
// protocols; several transactions in the same partitions; timeouts where fencing increments the epoch.
import { APIS } from '../../../../src/protocol/messages/index.ts'
import type { Session } from '../session.ts'
import { arrange, call, type Step } from '../transcript.ts'
import { fetchAll } from './read.ts'
import { gone, leaders, topic } from './topic.ts'
import { type Claim, Transactional } from './transactional.ts'
import { committedReads } from './txn-reads.ts'
import { lowered, raised } from './update-features.ts'

const {
  CreatePartitions,
  DeleteTopics,
  DescribeProducers,
  DescribeTransactions,
  FindCoordinator,
  ListOffsets,
  OffsetCommit,
  OffsetFetch,
  TxnOffsetCommit,
  WriteTxnMarkers
} = APIS
const STAYS = 'txn-stays'
const GONE = 'txn-gone'
const GROWS = 'txn-grows'
const V2 = { version: 12 }
const END = { version: 5 }

const producers = (name: string, of: string, ...partitionIndexes: number[]): Step =>
  call(name, DescribeProducers, 0, { topics: [{ name: of, partitionIndexes }] })

const ends = (name: string, of: string, ...indexes: number[]): Step[] =>
  [0, 1].map(isolationLevel =>
    call(`${name}, at level ${isolationLevel}`, ListOffsets, 8, {
      isolationLevel,
      topics: [{ name: of, partitions: indexes.map(partitionIndex => ({ partitionIndex, timestamp: -1n })) }]
    })
  )

function deleted(name: string): Step[] {
  return [
    arrange(`${name} is deleted`, session =>
      session.requestUntil(
        DeleteTopics,
        5,
        { topicNames: [name], timeoutMs: 10_000 },
        answer => answer.responses[0]?.errorCode !== 'NOT_CONTROLLER'
      )
    ),
    gone(name)
  ]
}

/** A topic is deleted while a transaction writes to it, with each transaction protocol, and possibly recreated. */
function goes(modern: boolean, comesBack: boolean, commits: boolean): Step[] {
  const producer = new Transactional(`goes-${modern}-${comesBack}-${commits}`)
  const how = modern ? V2 : {}
  const end = modern ? END : {}
  const finish = (name: string) => (commits ? producer.commit(name, end) : producer.abort(name, end))
  return [
    topic(GONE, 2),
    producer.found(),
    producer.init('a producer'),
    ...(modern ? [] : [producer.add('its transaction', { [GONE]: [0, 1], [STAYS]: [0] })]),
    producer.write('a batch', GONE, how),
    producer.write('a batch', STAYS, how),
    ...deleted(GONE),
    producer.described(),
    producer.write('a batch to what is gone', GONE, { ...how, sequence: 1 }),
    ...(modern
      ? []
      : [
          producer.add('what is gone', { [GONE]: [0] }),
          producer.add('and what is not', { [GONE]: [1], [STAYS]: [0] })
        ]),
    call('to verify what is gone', APIS.AddPartitionsToTxn, 5, session => ({
      transactions: [producer.batched(session, { [GONE]: [0] }, { verifyOnly: true })]
    })),
    ...(comesBack
      ? [
          topic(GONE, 2),
          producers('no producer has written', GONE, 0, 1),
          producer.write('the next batch', GONE, { ...how, sequence: 1 }),
          producer.write('the first batch', GONE, how),
          producers('one has written', GONE, 0, 1),
          ...ends('while it is open', GONE, 0, 1)
        ]
      : []),
    ...finish('it ends'),
    producer.described(),
    ...(comesBack
      ? [
          producers('after the end', GONE, 0, 1),
          ...ends('after the end', GONE, 0, 1),
          fetchAll('the log', GONE, 2),
          producer.write('a batch after the end', GONE, { ...how, partition: 1 }),
          ...finish('it ends again'),
          producers('after another end', GONE, 0, 1),
          fetchAll('the log', GONE, 2),
          ...deleted(GONE)
        ]
      : [])
  ]
}

const growing = new Transactional('grows')
const grows: Step[] = [11, 12].flatMap(version => [
  topic(`${GROWS}-${version}`, 1),
  growing.init('a producer'),
  growing.add('a partition', { [`${GROWS}-${version}`]: [0] }),
  growing.write('a batch', `${GROWS}-${version}`, { version }),
  growing.add('one that is not there', { [`${GROWS}-${version}`]: [2] }),
  growing.write('to one that is not there', `${GROWS}-${version}`, { version, partition: 2 }),
  arrange('the topic grows', async session => {
    const request = { topics: [{ name: `${GROWS}-${version}`, count: 3, assignments: null }], timeoutMs: 10_000 }
    await session.requestUntil(CreatePartitions, 3, request, ({ results }) => results[0]?.errorCode === 'NONE')
    await leaders(session, `${GROWS}-${version}`, 3)
  }),
  ...(version < 12 ? [growing.add('one that is there now', { [`${GROWS}-${version}`]: [2] })] : []),
  growing.write('to one that is there now', `${GROWS}-${version}`, { version, partition: 2 }),
  growing.described(),
  ...growing.commit('it commits', version < 12 ? {} : END),
  growing.described(),
  fetchAll('the log', `${GROWS}-${version}`, 3)
])

/** Partitions added with one protocol version, an end with the other. */
const mixed = new Transactional('mixed')
const mixes: Step[] = [
  mixed.init('a producer'),
  mixed.write('adds by a batch', STAYS, V2),
  ...mixed.commit('it commits in the old way'),
  mixed.described(),
  producers('after that', STAYS, 0),
  mixed.write('continues by a batch', STAYS, { ...V2, sequence: 1 }),
  mixed.write('from the start', STAYS, V2),
  mixed.add('adds in the old way', { [STAYS]: [1] }),
  ...mixed.abort('it aborts in the new way', END),
  mixed.described(),
  producers('after that', STAYS, 0, 1),
  mixed.add('adds in the old way', { [STAYS]: [0] }),
  mixed.write('a batch in the old way', STAYS, { sequence: 2 }),
  mixed.write('a batch in the old way from the start', STAYS),
  ...mixed.commit('it commits in the new way', END),
  producers('after that', STAYS, 0, 1),
  mixed.add('adds in the old way', { [STAYS]: [0] }),
  ...mixed.abort('it aborts in the old way'),
  mixed.write('continues by a batch', STAYS, V2),
  ...mixed.abort('it aborts in the old way, again'),
  mixed.described(),
  ...mixed.abort('it aborts nothing in the old way'),
  ...mixed.abort('it aborts nothing in the new way', END),
  ...mixed.commit('it commits nothing in the new way', END),
  mixed.described(),
  producers('in the end', STAYS, 0, 1)
]

const GROUP = 'changes-group'
const first = new Transactional('pending-first')
const second = new Transactional('pending-second')
const offset = (partitionIndex: number, committedOffset: bigint, name = STAYS) => ({
  name,
  partitions: [{ partitionIndex, committedOffset, committedLeaderEpoch: 0, committedMetadata: `m${committedOffset}` }]
})

const commitOffsets = (
  of: Transactional,
  name: string,
  version: number,
  topics: ReturnType<typeof offset>[],
  claim: Claim = {}
) =>
  call(name, TxnOffsetCommit, version, session => ({
    ...{ transactionalId: of.id, groupId: GROUP, groupInstanceId: null },
    ...of.claim(session, claim),
    topics
  }))

const stored = (name: string, ...topics: { name: string; partitionIndexes: number[] }[]): Step[] =>
  [false, true].map(requireStable =>
    call(`${name}${requireStable ? ', if it is stable' : ''}`, OffsetFetch, 9, {
      groups: [{ groupId: GROUP, topics: topics.length > 0 ? topics : [{ name: STAYS, partitionIndexes: [0, 1] }] }],
      requireStable
    })
  )

const plainCommit = (name: string, topics: ReturnType<typeof offset>[]): Step =>
  call(name, OffsetCommit, 8, {
    ...{ groupId: GROUP, generationIdOrMemberEpoch: -1, memberId: '', groupInstanceId: null },
    topics
  })

const twoOfThem: Step[] = [first, second].flatMap(commits => {
  const aborts = commits === first ? second : first
  return [
    first.init('the first producer'),
    second.init('the second producer'),
    commitOffsets(first, 'the first commits offsets', 5, [offset(0, 10n), offset(1, 11n)]),
    commitOffsets(second, 'the second commits offsets', 5, [offset(0, 20n)]),
    ...stored('while both are open'),
    ...aborts.abort(`${aborts.id} aborts`, END),
    ...stored('while one is open'),
    ...commits.commit(`${commits.id} commits`, END),
    ...stored('after both'),
    commitOffsets(first, 'the first commits offsets', 5, [offset(0, 30n)]),
    commitOffsets(second, 'the second commits offsets', 5, [offset(0, 40n)]),
    plainCommit('a client commits at once', [offset(0, 35n)]),
    ...stored('while both are open, and something is committed'),
    ...second.commit('the second commits', END),
    ...stored('after the second'),
    ...first.commit('the first commits', END),
    ...stored('after both')
  ]
})

/** Markers of an admin who aborts pending offsets of a group. */
const coordinatorsPartition = (session: Session): number => Number(session.recall('partition of the group'))
const byHand: Step[] = [
  arrange('it is known where the group is', async session => {
    await session.requestUntil(
      FindCoordinator,
      4,
      { keyType: 0, coordinatorKeys: [GROUP] },
      ({ coordinators }) => coordinators[0]?.errorCode === 'NONE'
    )
    let hash = 0
    for (const char of GROUP) hash = (Math.imul(hash, 31) + char.charCodeAt(0)) | 0
    session.remember('partition of the group', (hash & 0x7fffffff) % 50)
  }),
  ...[true, false].flatMap(transactionResult => [
    first.init('a producer'),
    commitOffsets(first, 'it commits offsets', 5, [offset(0, transactionResult ? 50n : 60n)]),
    ...[1, 2].map(version =>
      call('a marker of an older epoch', WriteTxnMarkers, version, session => ({
        markers: [
          {
            ...first.claim(session, { later: -1 }),
            ...{ transactionResult, coordinatorEpoch: 0 },
            topics: [{ name: '__consumer_offsets', partitionIndexes: [coordinatorsPartition(session)] }]
          }
        ]
      }))
    ),
    ...stored('before'),
    call('a marker', WriteTxnMarkers, 1, session => ({
      markers: [
        {
          ...first.claim(session),
          ...{ transactionResult, coordinatorEpoch: 0 },
          topics: [
            { name: '__consumer_offsets', partitionIndexes: [coordinatorsPartition(session), 77] },
            { name: '__transaction_state', partitionIndexes: [77] },
            { name: STAYS, partitionIndexes: [0, 9] }
          ]
        }
      ]
    })),
    ...stored('after the marker'),
    commitOffsets(first, 'it commits more', 5, [offset(1, 51n)]),
    ...first.commit('it commits', END),
    ...stored('after the end')
  ])
]

/** Offsets of a topic that is deleted before their transaction ends. */
const OFFSETS = 'txn-offsets-gone'
const both = [
  { name: OFFSETS, partitionIndexes: [0] },
  { name: STAYS, partitionIndexes: [0] }
]
const offsetsGo: Step[] = [true, false].flatMap(comesBack => [
  topic(OFFSETS, 1),
  first.init('a producer'),
  commitOffsets(first, 'it commits offsets', 5, [offset(0, 70n, OFFSETS), offset(0, 71n)]),
  ...stored('before the topic goes', ...both),
  ...deleted(OFFSETS),
  arrange('its offsets go as well', session =>
    session.requestUntil(
      OffsetFetch,
      9,
      { groups: [{ groupId: GROUP, topics: [{ name: OFFSETS, partitionIndexes: [0] }] }], requireStable: true },
      ({ groups }) => groups[0]?.topics[0]?.partitions[0]?.errorCode === 'NONE'
    )
  ),
  commitOffsets(first, 'it commits offsets of what is gone', 5, [offset(0, 72n, OFFSETS), offset(0, 73n)]),
  ...(comesBack ? [topic(OFFSETS, 1)] : []),
  ...first.commit('it commits', END),
  ...stored('in the end', ...both)
])

/** A timeout while fencing increments the epoch. */
function slow(level: number): Step[] {
  const late = new Transactional(`slow-${level}`)
  return [
    ...lowered(level),
    late.found(),
    late.init('a producer with little time', { timeoutMs: 100 }),
    late.add('a transaction', { [STAYS]: [0] }),
    late.write('a batch', STAYS),
    commitOffsets(late, 'offsets without their group', 3, [offset(0, 90n)]),
    arrange('time is up', session =>
      session.requestUntil(
        DescribeTransactions,
        0,
        { transactionalIds: [late.id] },
        ({ transactionStates }) => transactionStates[0]?.transactionState === 'CompleteAbort'
      )
    ),
    late.described(),
    producers('after the time', STAYS, 0),
    late.write('a batch that comes too late', STAYS, { sequence: 1 }),
    ...[0, 1, 2, 3].map(version => late.add('a partition that comes too late', { [STAYS]: [1] }, { version })),
    ...[0, 1, 2, 4].map(version => late.addOffsets('a group that comes too late', GROUP, { version })),
    ...[0, 3, 4].map(version => commitOffsets(late, 'offsets that come too late', version, [offset(0, 91n)])),
    ...[0, 1, 2, 4].flatMap(version => [
      ...late.commit('a commit that comes too late', { version }),
      ...late.abort('an abort that comes too late', { version })
    ]),
    ...(level > 0
      ? [
          late.write('a batch that comes too late', STAYS, { sequence: 1, version: 12 }),
          commitOffsets(late, 'offsets that come too late', 5, [offset(0, 91n)]),
          ...late.commit('a commit that comes too late', END),
          ...late.abort('an abort that comes too late', END)
        ]
      : []),
    late.described(),
    late.init('continues in an old way', { resumes: true, version: 3 }),
    late.init('continues', { resumes: true }),
    late.init('another instance', { timeoutMs: 60_000 }),
    late.described(),
    late.add('a transaction', { [STAYS]: [0] }),
    late.write('a batch', STAYS),
    ...late.commit('it commits')
  ]
}

export const txnChanges: Step[] = [
  topic(STAYS, 2),
  growing.found(),
  mixed.found(),
  first.found(),
  second.found(),
  ...[false, true].flatMap(modern =>
    [true, false].flatMap(back => [true, false].flatMap(commits => goes(modern, back, commits)))
  ),
  ...grows,
  ...mixes,
  ...twoOfThem,
  ...byHand,
  ...offsetsGo,
  ...committedReads(first),
  ...slow(1),
  ...slow(0),
  ...raised(2),
  fetchAll('the log', STAYS, 2)
]
