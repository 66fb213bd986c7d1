/** Requests of transactional producers and of brokers whose responses equal Kafka's and that clients do not send. */
import { describe, expect, it } from 'vitest'
import { yieldToEventLoop } from '../../../../src/runtime/pace.ts'
import { batchOf, Harness } from '../../../../src/testing/harness.ts'
import { ManualClock } from '../../../../src/testing/manual-clock.ts'
import { committedOffset, TransactionalProducer } from '../../transactional.ts'

async function started() {
  const broker = await Harness.start()
  const topicId = await broker.createTopic('t', 3)
  const producer = new TransactionalProducer(broker, 'tx')
  await producer.init()
  return { broker, topic: { name: 't', topicId }, producer }
}

interface Sent {
  readonly index?: number
  readonly sequence?: number
  readonly from?: { readonly producerId: bigint; readonly producerEpoch: number }
}

/** Produces several transactional batches in one request and returns the responses of their partitions. */
async function produced(broker: Harness, version: number, acks: number, producer: TransactionalProducer, sent: Sent[]) {
  const partitionData = sent.map(({ index = 0, sequence: baseSequence = 0, from = producer }) => {
    const { producerId, producerEpoch } = from
    return { index, records: batchOf(['x'], { producerId, producerEpoch, baseSequence, isTransactional: true }) }
  })
  const topicData = [{ name: 't', partitionData }]
  const request = { transactionalId: producer.transactionalId, acks, timeoutMs: 1000, topicData }
  const answer = await broker.request('Produce', request, { version })
  return answer.responses[0]?.partitionResponses ?? []
}

describe('a transactional batch', () => {
  it('whose partition is not in the transaction is refused before other checks, and the response has no log start offset', async () => {
    const { broker, producer } = await started()
    await using _ = broker
    const [old] = await produced(broker, 10, 7, producer, [{}])
    expect(old).toMatchObject({ errorCode: 'INVALID_TXN_STATE', logStartOffset: -1n })
    expect(old?.errorMessage).toBe('Partition was not added to the transaction')
    const [newer] = await produced(broker, 11, 7, producer, [{}])
    expect(newer).toMatchObject({ errorCode: 'TRANSACTION_ABORTABLE', logStartOffset: -1n, errorMessage: null })
  })

  it('of another producer in the same request makes the whole request invalid', async () => {
    const { broker, producer } = await started()
    await using _ = broker
    const other = { producerId: producer.producerId, producerEpoch: producer.producerEpoch + 1 }
    for (const version of [10, 12]) {
      const codes = await produced(broker, version, -1, producer, [{}, { index: 1, from: other }])
      expect(codes.map(({ errorCode }) => errorCode)).toEqual(Array(2).fill('INVALID_PRODUCER_ID_MAPPING'))
    }
  })

  it('that is retried after the end of its transaction is verified like any other', async () => {
    const { broker, topic } = await started()
    await using _ = broker
    const classic = new TransactionalProducer(broker, 'classic', { generation: 'classic' })
    await classic.init()
    await classic.send(topic, 0, ['a'])
    await classic.commit()
    const [again] = await produced(broker, 11, -1, classic, [{}])
    expect(again?.errorCode).toBe('TRANSACTION_ABORTABLE')
  })

  it('without a producer id is accepted and belongs to no transaction', async () => {
    const { broker, topic, producer } = await started()
    await using _ = broker
    const nobody = { producerId: -1n, producerEpoch: -1 }
    const [taken] = await produced(broker, 12, -1, producer, [{ from: nobody, sequence: -1 }])
    expect(taken?.errorCode).toBe('NONE')
    const read = await broker.request('Fetch', broker.fetchRequest(topic.topicId, 0n, { isolationLevel: 1 }))
    expect(read.responses[0]?.partitions[0]?.lastStableOffset).toBe(1n)
  })
})

describe('AddPartitionsToTxn', () => {
  const add = async (broker: Harness, producer: TransactionalProducer, topics: Record<string, number[]>) => {
    const request = {
      v3AndBelowTransactionalId: producer.transactionalId,
      v3AndBelowProducerId: producer.producerId,
      v3AndBelowProducerEpoch: producer.producerEpoch,
      v3AndBelowTopics: Object.entries(topics).map(([name, partitions]) => ({ name, partitions }))
    }
    const answer = await broker.request('AddPartitionsToTxn', request, { version: 3 })
    return answer.resultsByTopicV3AndBelow.map(({ resultsByPartition }) =>
      resultsByPartition.map(({ partitionErrorCode }) => partitionErrorCode)
    )
  }

  it('refuses internal topics, and then adds no partition', async () => {
    const { broker, producer } = await started()
    await using _ = broker
    const codes = await add(broker, producer, { __transaction_state: [0], t: [0, 9] })
    expect(codes).toEqual([['TOPIC_AUTHORIZATION_FAILED'], ['OPERATION_NOT_ATTEMPTED', 'UNKNOWN_TOPIC_OR_PARTITION']])
    const { transactionStates } = await broker.request('DescribeTransactions', { transactionalIds: ['tx'] })
    expect(transactionStates[0]).toMatchObject({ transactionState: 'Empty', topics: [] })
  })

  it('answers a partition each time that it is named', async () => {
    const { broker, producer } = await started()
    await using _ = broker
    expect(await add(broker, producer, { t: [1, 1] })).toEqual([['NONE', 'NONE']])
  })
})

describe('WriteTxnMarkers', () => {
  const marker = { producerId: 5n, producerEpoch: 1, transactionResult: true, coordinatorEpoch: 3 }
  const topics = [{ name: 't', partitionIndexes: [0] }]

  it('answers each producer once, with the result of its last marker in a partition', async () => {
    const { broker } = await started()
    await using _ = broker
    const markers = [
      { ...marker, topics },
      { ...marker, coordinatorEpoch: 2, topics }
    ]
    const answer = await broker.request('WriteTxnMarkers', { markers })
    const partitions = [{ partitionIndex: 0, errorCode: 'TRANSACTION_COORDINATOR_FENCED' }]
    expect(answer.markers).toEqual([{ producerId: 5n, topics: [{ name: 't', partitions }] }])
  })

  it('does not answer a marker without partitions', async () => {
    const { broker } = await started()
    await using _ = broker
    const none = [{ name: 't', partitionIndexes: [] }]
    expect((await broker.request('WriteTxnMarkers', { markers: [{ ...marker, topics: none }] })).markers).toEqual([])
  })
})

it('TxnOffsetCommit for an empty group id gets INVALID_GROUP_ID before its transaction is checked', async () => {
  const { broker } = await started()
  await using _ = broker
  const stranger = new TransactionalProducer(broker, 'stranger', { generation: 'classic' })
  expect(await stranger.trySendOffset('', 't', 0, 1n)).toBe('INVALID_GROUP_ID')
})

it('TxnOffsetCommit of an older client is accepted without verification when transaction verification is disabled', async () => {
  await using broker = await Harness.start({ config: { 'transaction.partition.verification.enable': false } })
  await broker.createTopic('t')
  await broker.request('FindCoordinator', { keyType: 0, coordinatorKeys: ['g'] })
  const old = new TransactionalProducer(broker, 'old', { generation: 'classic' })
  await old.init()
  expect(await old.trySendOffset('g', 't', 0, 1n)).toBe('NONE')
  expect(await committedOffset(broker, 'g', 't')).toBe('UNSTABLE_OFFSET_COMMIT')
  const stranger = { producerId: 777n, producerEpoch: 0 }
  const unknown = Object.assign(new TransactionalProducer(broker, '', { generation: 'classic' }), stranger)
  expect(await unknown.trySendOffset('g', 't', 0, 1n)).toBe('NONE')
  const modern = Object.assign(new TransactionalProducer(broker, 'modern'), stranger)
  expect(await modern.trySendOffset('g', 't', 0, 1n)).toBe('INVALID_PRODUCER_ID_MAPPING')
})

it('ListTransactions returns an unknown state filter once', async () => {
  const { broker } = await started()
  await using _ = broker
  const filters = { stateFilters: ['Nothing', 'Nothing'], producerIdFilters: [], transactionalIdPattern: null }
  expect((await broker.request('ListTransactions', filters)).unknownStateFilters).toEqual(['Nothing'])
})

describe('a request with very many transactions yields to other requests', () => {
  const transactionalIds = Array.from({ length: 40 }, (_, index) => `tx-${index}`)
  const topics = [{ name: 't', partitionIndexes: transactionalIds.map((_, index) => index) }]
  const marker = { producerId: 5n, producerEpoch: 1, transactionResult: true, coordinatorEpoch: 3, topics }
  const requests = {
    ListTransactions: (broker: Harness) =>
      broker.request('ListTransactions', { stateFilters: [], producerIdFilters: [], transactionalIdPattern: 'tx-.*' }),
    DescribeTransactions: (broker: Harness) => broker.request('DescribeTransactions', { transactionalIds }),
    WriteTxnMarkers: (broker: Harness) => broker.request('WriteTxnMarkers', { markers: [marker] })
  }

  it.each(Object.entries(requests))('%s', async (_name, sendRequest) => {
    const clock = new ManualClock()
    await using broker = await Harness.start({ clock })
    await broker.createTopic('t', transactionalIds.length)
    for (const transactionalId of transactionalIds) await new TransactionalProducer(broker, transactionalId).init()
    const atOnce = await sendRequest(broker)
    clock.workMs = 1
    let isDone = false
    const answer = sendRequest(broker).finally(() => {
      isDone = true
    })
    let turns = 0
    for (; !isDone; turns++) await yieldToEventLoop()
    expect(turns).toBeGreaterThan(2)
    expect(await answer).toEqual(atOnce)
  })
})

it('DescribeProducers gives an error message for a missing topic, and only an error code for an existing one', async () => {
  const { broker } = await started()
  await using _ = broker
  const named = (name: string) => ({ name, partitionIndexes: [9] })
  const { topics } = await broker.request('DescribeProducers', { topics: [named('t'), named('nowhere')] })
  const messages = topics.map(({ partitions }) => partitions[0]?.errorMessage)
  expect(messages).toEqual([null, expect.any(String)])
  expect(topics.map(({ partitions }) => partitions[0]?.errorCode)).toEqual(Array(2).fill('UNKNOWN_TOPIC_OR_PARTITION'))
})

describe('a read_committed Fetch at the last stable offset', () => {
  it('gets no aborted transactions, because there are no records to read', async () => {
    const { broker, topic, producer } = await started()
    await using _ = broker
    const other = new TransactionalProducer(broker, 'other')
    await other.init()
    await other.send(topic, 0, ['gone'])
    await producer.send(topic, 0, ['open'])
    await other.abort()
    const { responses } = await broker.request('Fetch', broker.fetchRequest(topic.topicId, 1n, { isolationLevel: 1 }))
    expect(responses[0]?.partitions[0]).toMatchObject({ lastStableOffset: 1n, abortedTransactions: [] })
  })
})
