// DescribeTransactions and ListTransactions; the coordinator of a transactional id and its topic.
import { APIS } from '../../../../src/protocol/messages/index.ts'
import { arrange, atEachVersion, call, type Step } from '../transcript.ts'
import { topic } from './topic.ts'
import { Transactional } from './transactional.ts'

const { DescribeConfigs, DescribeTransactions, FindCoordinator, InitProducerId, ListTransactions } = APIS
const TOPIC = 'txn-admin'
const empty = new Transactional('admin-empty')
const open = new Transactional('admin-open')
const committed = new Transactional('admin-committed')
const aborted = new Transactional('admin-aborted')
const all = [empty, open, committed, aborted]
const MINE = '^admin-(empty|open|committed|aborted)$'

const coordinators: Step[] = [
  ...atEachVersion('a transactional id', FindCoordinator, version => ({ ...keys(version, 'admin'), keyType: 1 }), {
    first: 1
  }),
  ...[1, 3, 4, 6].map(version => call('an empty one', FindCoordinator, version, { ...keys(version, ''), keyType: 1 })),
  ...[4, 6].flatMap(version => [
    call('several', FindCoordinator, version, { coordinatorKeys: ['b', 'a', 'admin', 'a'], keyType: 1 }),
    call('none', FindCoordinator, version, { coordinatorKeys: [], keyType: 1 })
  ])
]

function keys(version: number, key: string) {
  return version < 4 ? { key } : { coordinatorKeys: [key] }
}

const states: Step[] = [
  ...all.map(producer => producer.init('begins')),
  ...[open, committed, aborted].map(producer => producer.add('a transaction', { [TOPIC]: [1, 0] })),
  ...committed.commit('it commits'),
  ...aborted.abort('it aborts')
]

const described: Step[] = [
  call('all of them', DescribeTransactions, 0, { transactionalIds: all.map(({ id }) => id) }),
  call('none', DescribeTransactions, 0, { transactionalIds: [] }),
  call('an empty one, an unknown one, and a known one', DescribeTransactions, 0, {
    transactionalIds: ['', 'admin-unknown', open.id]
  })
]

/** Excludes the transactions of other transcripts. */
const listed = (name: string, version: number, filters: object): Step =>
  call(
    name,
    ListTransactions,
    version,
    { stateFilters: [], producerIdFilters: [], ...filters },
    {
      compare: ({ transactionStates, unknownStateFilters, ...rest }) => ({
        ...rest,
        unknownStateFilters: unknownStateFilters.toSorted(),
        transactionStates: transactionStates
          .filter(({ transactionalId }) => new RegExp(MINE).test(transactionalId))
          .map(({ transactionalId: name, ...state }) => ({ name, ...state }))
      })
    }
  )

const filtered: Step[] = [
  ...[0, 1, 2].flatMap(version => [
    listed('all', version, {}),
    ...['Empty', 'Ongoing', 'CompleteCommit', 'CompleteAbort', 'PrepareEpochFence', 'Dead'].map(state =>
      listed(state, version, { stateFilters: [state] })
    ),
    listed('two states', version, { stateFilters: ['Empty', 'Ongoing'] }),
    listed('a state that is none', version, { stateFilters: ['ongoing', 'Nothing', 'Empty', ''] }),
    listed('only states that are none', version, { stateFilters: ['Nothing', 'Nothing'] }),
    listed('a producer that is none', version, { producerIdFilters: [987_654_321n, -1n] }),
    call(
      'a producer',
      ListTransactions,
      version,
      session => ({ stateFilters: [], producerIdFilters: [open.claim(session).producerId, 987_654_321n] }),
      { compare: ({ transactionStates, ...rest }) => ({ ...rest, names: transactionStates }) }
    )
  ]),
  ...[0n, 1n, 86_400_000n, -1n, -5n].flatMap(durationFilter =>
    [1, 2].map(version => listed(`open for more than ${durationFilter}`, version, { durationFilter }))
  ),
  ...[
    'admin-.*',
    'admin-o',
    '.*open',
    '',
    '(',
    'admin-(?=open)',
    '^admin-open$',
    '[[:alpha:]]+-open',
    '*',
    'ADMIN-.*'
  ].map(transactionalIdPattern => listed(`names like ${transactionalIdPattern}`, 2, { transactionalIdPattern })),
  listed('no pattern', 2, { transactionalIdPattern: null })
]

const stateTopic: Step[] = [
  call(
    'the topic of transactions',
    DescribeConfigs,
    4,
    { resources: [{ resourceType: 2, resourceName: '__transaction_state', configurationKeys: null }] },
    {
      compare: ({ results }) =>
        results.map(({ configs, ...result }) => ({
          ...result,
          configs: configs.filter(({ configSource }) => configSource === 1).map(({ name, value }) => ({ name, value }))
        }))
    }
  ),
  call(
    'its partitions',
    APIS.Metadata,
    12,
    { topics: [{ name: '__transaction_state' }] },
    { compare: ({ topics }) => topics.map(({ partitions, ...topic }) => ({ ...topic, count: partitions.length })) }
  )
]

/** The coordinator's transaction timeout is shorter than the producer expects. */
const slow = new Transactional('admin-slow')
const timeouts: Step[] = [
  slow.init('a producer with little time', { timeoutMs: 100 }),
  slow.add('a transaction', { [TOPIC]: [0] }),
  slow.write('a batch', TOPIC),
  arrange('time is up', session =>
    session.requestUntil(
      DescribeTransactions,
      0,
      { transactionalIds: [slow.id] },
      ({ transactionStates }) => transactionStates[0]?.transactionState === 'CompleteAbort'
    )
  ),
  slow.described(),
  slow.write('a batch that comes too late', TOPIC, { sequence: 1 }),
  slow.write('a batch that comes too late', TOPIC, { sequence: 1, version: 12 }),
  slow.add('a partition that comes too late', { [TOPIC]: [1] }, { version: 1 }),
  slow.add('a partition that comes too late', { [TOPIC]: [1] }),
  ...[1, 4, 5].flatMap(version => [
    ...slow.commit('a commit that comes too late', { version }),
    ...slow.abort('an abort that comes too late', { version })
  ]),
  slow.described(),
  slow.init('it continues with its own id, in an old way', { resumes: true, version: 3 }),
  slow.init('it continues with its own id', { resumes: true }),
  slow.described()
]

export const txnAdmin: Step[] = [
  topic(TOPIC, 2),
  ...all.map(producer => producer.found()),
  slow.found(),
  ...coordinators,
  ...states,
  ...described,
  ...filtered,
  ...stateTopic,
  ...timeouts,
  call('a producer id with a transaction timeout of 1 ms', InitProducerId, 0, {
    transactionalId: 'admin-v0',
    transactionTimeoutMs: 1
  }),
  ...open.commit('the open one commits')
]
