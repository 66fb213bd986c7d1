// Random actions of transactional producers: clients of all versions, zombies and admins send any request in random
// order. All visible state is compared every few steps, and at the end the log is read. ORACLE_LIVES sets the number of
// scenarios.
import { APIS } from '../../../../src/protocol/messages/index.ts'
import { type Random, seededRandom } from '../../../../src/runtime/random.ts'
import { call, type Step } from '../transcript.ts'
import { fetchAll } from './read.ts'
import { topic } from './topic.ts'
import { type Claim, Transactional } from './transactional.ts'

const { AddPartitionsToTxn, DescribeProducers, ListOffsets, OffsetFetch, TxnOffsetCommit, WriteTxnMarkers } = APIS
const STEPS = 150
const LIVES = Number(process.env.ORACLE_LIVES ?? 2)
const LOOK_EVERY = 10

interface Scenario {
  readonly name: string
  readonly random: Random
  readonly producers: readonly Transactional[]
}

function pick<T>(random: Random, from: readonly T[]): T {
  const picked = from[random.below(from.length)]
  if (picked === undefined) throw new Error('there is nothing to pick from')
  return picked
}

/** Usually the current id and epoch, sometimes others. */
function claimOf(random: Random): Claim {
  if (random.below(12) > 4) return {}
  return pick<Claim>(random, [{ later: -1 }, { later: -1 }, { later: 1 }, { later: -2 }, { id: 987_654n }])
}

type Play = (scenario: Scenario, producer: Transactional, claim: Claim) => Step[]

const begins: Play = ({ random }, producer) => [
  producer.init('begins', { version: pick(random, [0, 1, 3, 4, 5]) }),
  producer.over()
]

const resumes: Play = ({ random }, producer, claim) => [
  producer.init('continues', { resumes: true, version: pick(random, [3, 4, 5]), ...claim }),
  producer.over()
]

const adds: Play = ({ name, random }, producer, claim) => [
  producer.add('adds', { [name]: pick(random, [[0], [1], [0, 1]]) }, { version: pick(random, [0, 1, 2, 3]), ...claim })
]

const addsGroup: Play = ({ name, random }, producer, claim) => [
  producer.addOffsets('adds the group', name, { version: pick(random, [0, 1, 2, 4]), ...claim })
]

const writes: Play = ({ name, random }, producer, claim) => {
  const [version, sequence] = [pick(random, [3, 9, 11, 12, 12]), pick(random, [0, 0, 0, 1, 1, 2, 3])]
  return [producer.write('writes', name, { version, sequence, partition: random.below(2), ...claim })]
}

const commitsOffsets: Play = ({ name, random }, producer, claim) => {
  const [partitionIndex, committedOffset] = [random.below(2), BigInt(random.below(1000))]
  const partitions = [{ partitionIndex, committedOffset, committedLeaderEpoch: 0, committedMetadata: null }]
  return [
    call('commits offsets', TxnOffsetCommit, pick(random, [0, 2, 3, 4, 5, 5]), session => ({
      ...{ transactionalId: producer.id, groupId: name, groupInstanceId: null },
      ...producer.claim(session, claim),
      topics: [{ name, partitions }]
    }))
  ]
}

const ends: Play = ({ random }, producer, claim) => {
  const how = { version: pick(random, [0, 1, 3, 4, 5, 5, 5, 5]), ...claim }
  return random.below(2) > 0 ? producer.commit('commits', how) : producer.abort('aborts', how)
}

const isVerified: Play = ({ name, random, producers }) => [
  call('all are verified', AddPartitionsToTxn, pick(random, [4, 5]), session => ({
    transactions: producers.map((producer, index) =>
      producer.batched(session, { [name]: [index % 2] }, { verifyOnly: true })
    )
  }))
]

/** The epoch is not a future one: the coordinator could not end the transaction any more. */
const isEndedByHand: Play = ({ name, random }, producer) => {
  const [transactionResult, later, index] = [random.below(2) > 0, -random.below(2), random.below(2)]
  return [
    call('is ended by an operator', WriteTxnMarkers, 1, session => ({
      markers: [
        {
          ...producer.claim(session, { later }),
          ...{ transactionResult, coordinatorEpoch: 0 },
          topics: [{ name, partitionIndexes: [index] }]
        }
      ]
    }))
  ]
}

/** Actions; a repeated action is more likely. */
const PLAYS: readonly Play[] = [
  ...[begins, resumes, adds, addsGroup, commitsOffsets, isVerified, isEndedByHand],
  ...[writes, writes, writes, writes, ends, ends, ends]
]

function look({ name, producers }: Scenario): Step[] {
  const places = { name, partitionIndexes: [0, 1] }
  return [
    call('the offsets', OffsetFetch, 9, { groups: [{ groupId: name, topics: [places] }], requireStable: true }),
    call('the producers', DescribeProducers, 0, { topics: [places] }),
    call('the last stable offsets', ListOffsets, 8, {
      isolationLevel: 1,
      topics: [{ name, partitions: [0, 1].map(partitionIndex => ({ partitionIndex, timestamp: -1n })) }]
    }),
    ...producers.map(producer => producer.described())
  ]
}

function life(seed: number): Step[] {
  const name = `txn-chance-${seed}`
  const producers = ['a', 'b', 'c'].map(producerName => new Transactional(`${name}-${producerName}`))
  const scenario: Scenario = { name, random: seededRandom(seed), producers }
  const steps = Array.from({ length: STEPS }, (_, index) => {
    const played = pick(scenario.random, PLAYS)(scenario, pick(scenario.random, producers), claimOf(scenario.random))
    return index % LOOK_EVERY === LOOK_EVERY - 1 ? [...played, ...look(scenario)] : played
  })
  return [
    topic(name, 2),
    ...producers.flatMap(producer => [producer.found(), producer.init('is new'), producer.init('begins')]),
    ...steps.flat(),
    fetchAll('the log', name, 2)
  ]
}

export const txnChance: Step[] = Array.from({ length: LIVES }, (_, index) => life(index + 1)).flat()
