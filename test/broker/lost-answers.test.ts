/** Lost responses: the client retries, and the request has one effect. */
import { describe, expect, test } from 'vitest'
import type { ApiName } from '../../src/protocol/messages/index.ts'
import { batchesIn } from '../../src/protocol/records/batch.ts'
import { Harness } from '../../src/testing/harness.ts'
import { losingAnswers } from './lost-answers.ts'
import { committedOffset, type Generation, readCommitted, TransactionalProducer } from './transactional.ts'

const CONFIG = { 'offsets.topic.num.partitions': 1, 'transaction.state.log.num.partitions': 1 }
const CLASSIC: ApiName[] = [
  'InitProducerId',
  'AddPartitionsToTxn',
  'AddOffsetsToTxn',
  'Produce',
  'TxnOffsetCommit',
  'EndTxn'
]
const BUMPING: ApiName[] = ['InitProducerId', 'Produce', 'TxnOffsetCommit', 'EndTxn']
const ROUNDS = 6

const cases: [generation: Generation, lost: readonly ApiName[], every: number][] = [
  ...CLASSIC.map((api): [Generation, ApiName[], number] => ['classic', [api], 1]),
  ...BUMPING.map((api): [Generation, ApiName[], number] => ['KIP-890', [api], 1]),
  ['classic', CLASSIC, 2],
  ['KIP-890', BUMPING, 2]
]

describe.each(cases)('a %s producer that loses the response to %s (%i)', (generation, lost, every) => {
  test.each(['COMMIT', 'ABORT'])('%s: every transaction has one effect', async result => {
    // The first response to every request is lost; the response to the retry arrives.
    const asked = new Map<ApiName, number>()
    const losses = new Map<ApiName, number>()
    const losing = losingAnswers(api => {
      const count = (asked.get(api) ?? 0) + 1
      asked.set(api, count)
      const isLost = lost.includes(api) && count % (every + 1) === 1
      if (isLost) losses.set(api, (losses.get(api) ?? 0) + 1)
      return isLost
    })
    const harness = await Harness.start({ config: CONFIG, stages: { after: [losing] } })
    const topic = { name: 't', topicId: await harness.createTopic('t', 2) }
    const producer = new TransactionalProducer(harness, 'tx', { generation })
    await producer.init()
    const expected: string[] = []
    for (let round = 0; round < ROUNDS; round++) {
      await producer.send(topic, 0, [`${round} a`, `${round} b`])
      await producer.send(topic, 0, [`${round} c`])
      await producer.send(topic, 1, [`${round}`])
      await producer.sendOffset('g', 't', 0, BigInt(round + 1))
      const isCommit = result === 'COMMIT' || round % 2 === 0
      if (isCommit) expected.push(`${round} a`, `${round} b`, `${round} c`)
      if (isCommit) await producer.commit()
      else await producer.abort()
    }
    for (const api of lost) expect(losses.get(api), `lost answers to ${api}`).toBeGreaterThan(0)
    expect((await readCommitted(harness, topic.topicId)).values).toEqual(expected)
    expect(await committedOffset(harness, 'g', 't')).toBe(BigInt(result === 'COMMIT' ? ROUNDS : ROUNDS - 1))
    expect(await markers(harness, topic.topicId), 'one marker for each transaction').toBe(ROUNDS)
    await harness.stop()
  })
})

async function markers(harness: Harness, topicId: string): Promise<number> {
  const answer = await harness.request('Fetch', harness.fetchRequest(topicId, 0n))
  const records = answer.responses[0]?.partitions[0]?.records ?? Buffer.alloc(0)
  return [...batchesIn(records)].filter(({ isControl }) => isControl).length
}

test('a new producer instance that loses the response to InitProducerId gets a unique epoch', async () => {
  const stages = { after: [losingAnswers(second('InitProducerId'))] }
  const harness = await Harness.start({ config: CONFIG, stages })
  const first = new TransactionalProducer(harness, 'tx')
  await first.init()
  const next = new TransactionalProducer(harness, 'tx')
  await next.init()
  expect(next.producerId).toBe(first.producerId)
  expect(next.producerEpoch).toBe(2)
  expect(await first.tryInit(true)).toBe('PRODUCER_FENCED')
  await harness.stop()
})

test('a producer that bumps its own epoch and loses the response gets the same epoch again', async () => {
  const stages = { after: [losingAnswers(second('InitProducerId'))] }
  const harness = await Harness.start({ config: CONFIG, stages })
  const producer = new TransactionalProducer(harness, 'tx')
  await producer.init()
  await producer.init(true)
  expect(producer.producerEpoch).toBe(1)
  await harness.stop()
})

/** Selects the second request of an API. */
function second(name: ApiName): (api: ApiName) => boolean {
  let count = 0
  return api => api === name && ++count === 2
}
