// Records, waits and errors of Fetch.
import { describe, expect, it } from 'vitest'
import type { InsertedStages } from '../../../../src/broker/pipeline.ts'
import { CloseConnection } from '../../../../src/net/dispatch.ts'
import { decodeResponse, encodeRequest } from '../../../../src/protocol/api.ts'
import { APIS } from '../../../../src/protocol/messages/index.ts'
import { yieldToEventLoop } from '../../../../src/runtime/pace.ts'
import type { RequestBuffers } from '../../../../src/storage/buffer-pool.ts'
import { batchOf, Harness, valuesIn } from '../../../../src/testing/harness.ts'
import { inProcessConnection } from '../../../../src/testing/in-process.ts'

describe('Fetch', () => {
  it('completes with the append before its deadline', async () => {
    await using broker = await Harness.start()
    const topicId = await broker.createTopic('t')
    const waiting = broker.request('Fetch', broker.fetchRequest(topicId, 0n, { maxWaitMs: 60_000 }))
    await broker.produce(topicId, batchOf(['a']))
    expect(valuesIn((await waiting).responses[0]?.partitions[0]?.records ?? null)).toEqual(['a'])
  })

  it('waits for minBytes in total', async () => {
    await using broker = await Harness.start()
    const topicId = await broker.createTopic('t')
    const batch = batchOf(['a'])
    const waiting = broker.request(
      'Fetch',
      broker.fetchRequest(topicId, 0n, { maxWaitMs: 60_000, minBytes: 2 * batch.length })
    )
    await broker.produce(topicId, batchOf(['a']))
    await broker.produce(topicId, batchOf(['b']))
    expect(valuesIn((await waiting).responses[0]?.partitions[0]?.records ?? null)).toEqual(['a', 'b'])
  })

  it('does not wait for more bytes in a full segment, even if it became full during the wait', async () => {
    await using broker = await Harness.start()
    const topicId = await broker.createTopic('t', 1, { 'segment.bytes': '1048576' })
    const large = batchOf(['x'.repeat(600_000)])
    const request = broker.fetchRequest(topicId, 0n, { minBytes: 50_000_000, maxBytes: 100_000_000, maxWaitMs: 60_000 })
    const waiting = broker.request('Fetch', request)
    for (const _ of [1, 2]) await broker.produce(topicId, Buffer.from(large))
    expect((await waiting).responses[0]?.partitions[0]?.highWatermark).toBe(2n)
    expect((await broker.request('Fetch', request)).responses[0]?.partitions[0]?.highWatermark).toBe(2n)
  })

  it('answers unknown partitions last, keeps the order of the others, and reads a partition once', async () => {
    await using broker = await Harness.start()
    const [a, b] = [await broker.createTopic('a', 2), await broker.createTopic('b')]
    const at = (partition: number, fetchOffset = 0n) => ({ partition, fetchOffset, partitionMaxBytes: 1000 })
    const topics = [
      { topicId: 'AAECAwQFBgcICQoLDA0ODw', partitions: [at(0)] },
      { topicId: a, partitions: [at(7), at(0, 9n), at(0)] },
      { topicId: b, partitions: [at(0)] },
      { topicId: a, partitions: [at(1)] }
    ]
    const { responses } = await broker.request('Fetch', broker.fetchRequest(a, 0n, { topics }))
    const errors = responses.flatMap(({ topicId, partitions }) =>
      partitions.map(({ partitionIndex, errorCode }) => [topicId, partitionIndex, errorCode])
    )
    expect(errors).toEqual([
      [a, 0, 'NONE'],
      [b, 0, 'NONE'],
      [a, 1, 'NONE'],
      ['AAECAwQFBgcICQoLDA0ODw', 0, 'UNKNOWN_TOPIC_ID'],
      [a, 7, 'UNKNOWN_TOPIC_OR_PARTITION']
    ])
    expect(responses).toHaveLength(5)
  })

  it('refuses an invalid isolation level: with names in every partition, with ids as a whole', async () => {
    await using broker = await Harness.start()
    const topicId = await broker.createTopic('t')
    const byId = broker.fetchRequest(topicId, 0n, { isolationLevel: 2 })
    expect(await broker.request('Fetch', byId)).toMatchObject({ errorCode: 'UNKNOWN_SERVER_ERROR', responses: [] })
    const topics = [{ topic: 't', partitions: byId.topics[0]?.partitions ?? [] }]
    expect(await broker.request('Fetch', { ...byId, topics }, { version: 12 })).toMatchObject({
      errorCode: 'UNKNOWN_SERVER_ERROR',
      responses: [{ topic: 't', partitions: [{ errorCode: 'UNKNOWN_SERVER_ERROR' }] }]
    })
  })

  it('returns the leader to an unknown follower from version 16', async () => {
    await using broker = await Harness.start()
    const topicId = await broker.createTopic('t')
    const request = broker.fetchRequest(topicId, 0n, { replicaState: { replicaId: 4, replicaEpoch: -1n } })
    for (const [version, leaderId] of [
      [15, -1],
      [16, 1]
    ] as const) {
      const { responses } = await broker.request('Fetch', request, { version })
      expect(responses[0]?.partitions[0]).toMatchObject({
        errorCode: 'NOT_LEADER_OR_FOLLOWER',
        currentLeader: { leaderId }
      })
    }
  })

  it('fails for negative minBytes if there are records to read', async () => {
    await using broker = await Harness.start()
    const topicId = await broker.createTopic('t')
    const request = broker.fetchRequest(topicId, 0n, { maxBytes: -1 })
    const code = async () => (await broker.request('Fetch', request)).responses[0]?.partitions[0]?.errorCode
    expect(await code()).toBe('NONE')
    await broker.produce(topicId, batchOf(['a']))
    expect(await code()).toBe('UNKNOWN_SERVER_ERROR')
  })

  it('keeps the topic name of an id for a session, so that a recreated topic differs from the deleted one', async () => {
    await using broker = await Harness.start()
    const topicId = await broker.createTopic('t')
    const begun = await broker.request('Fetch', broker.fetchRequest(topicId, 0n, { sessionEpoch: 0 }))
    const next = async (sessionEpoch: number) => {
      const request = broker.fetchRequest(topicId, 0n, { sessionId: begun.sessionId, sessionEpoch, topics: [] })
      return (await broker.request('Fetch', request)).responses[0]?.partitions[0]?.errorCode
    }
    await broker.request('DeleteTopics', { topics: [{ name: 't' }], timeoutMs: 1000 })
    expect(await next(1)).toBe('UNKNOWN_TOPIC_OR_PARTITION')
    await broker.createTopic('t')
    expect(await next(2)).toBe('INCONSISTENT_TOPIC_ID')
  })

  it('returns the available records at its deadline', async () => {
    await using broker = await Harness.start()
    const topicId = await broker.createTopic('t')
    const waiting = broker.request('Fetch', broker.fetchRequest(topicId, 0n, { maxWaitMs: 500 }))
    broker.clock.advance(500)
    expect((await waiting).responses[0]?.partitions[0]).toMatchObject({ errorCode: 'NONE', highWatermark: 0n })
  })

  it('is answered when its topic is deleted, and when the broker stops', async () => {
    const broker = await Harness.start()
    const first = await broker.createTopic('first')
    const second = await broker.createTopic('second')
    const doomed = broker.request('Fetch', broker.fetchRequest(first, 0n, { maxWaitMs: 60_000 }))
    const delayed = broker.request('Fetch', broker.fetchRequest(second, 0n, { maxWaitMs: 60_000 }))
    await broker.request('DeleteTopics', { topics: [{ name: 'first' }], timeoutMs: 1000 })
    expect((await doomed).responses[0]?.partitions[0]?.errorCode).toBe('UNKNOWN_TOPIC_OR_PARTITION')
    await broker.stop()
    expect((await delayed).responses[0]?.partitions[0]?.errorCode).toBe('NONE')
    expect(broker.clock.pendingAlarms).toBe(0)
  })

  it('is dropped when its connection closes', async () => {
    await using broker = await Harness.start()
    const topicId = await broker.createTopic('t')
    const gone = new AbortController()
    const delayed = broker.request('Fetch', broker.fetchRequest(topicId, 0n, { maxWaitMs: 60_000 }), {
      connection: inProcessConnection({ closed: gone.signal })
    })
    gone.abort()
    expect((await delayed).responses).toHaveLength(1)
  })

  it('returns the first batch completely beyond any limit, and only that batch', async () => {
    await using broker = await Harness.start()
    const topicId = await broker.createTopic('t', 2)
    await broker.produce(topicId, batchOf(['a'.repeat(1000)]))
    await broker.produce(topicId, batchOf(['b'.repeat(1000)]), { index: 1 })
    const partitions = [0, 1].map(partition => ({ partition, fetchOffset: 0n, partitionMaxBytes: 10 }))
    const request = broker.fetchRequest(topicId, 0n, { maxBytes: 10, topics: [{ topicId, partitions }] })
    const { responses } = await broker.request('Fetch', request)
    expect(responses[0]?.partitions.map(({ records }) => valuesIn(records).length)).toEqual([1, 0])
  })

  it('refuses offsets outside the log and other leader epochs', async () => {
    await using broker = await Harness.start()
    const topicId = await broker.createTopic('t')
    const fetch = async (fetchOffset: bigint, currentLeaderEpoch = -1) => {
      const partitions = [{ partition: 0, fetchOffset, currentLeaderEpoch, partitionMaxBytes: 1000 }]
      const answer = await broker.request(
        'Fetch',
        broker.fetchRequest(topicId, 0n, { topics: [{ topicId, partitions }] })
      )
      return answer.responses[0]?.partitions[0]?.errorCode
    }
    expect(await fetch(1n)).toBe('OFFSET_OUT_OF_RANGE')
    expect(await fetch(0n, 7)).toBe('UNKNOWN_LEADER_EPOCH')
    expect(await fetch(0n, 0)).toBe('NONE')
  })

  it('with a session reads the partitions of earlier requests and returns changed ones only', async () => {
    await using broker = await Harness.start()
    const topicId = await broker.createTopic('t', 2)
    const partitions = [0, 1].map(partition => ({ partition, fetchOffset: 0n, partitionMaxBytes: 1000 }))
    const opened = await broker.request(
      'Fetch',
      broker.fetchRequest(topicId, 0n, { sessionEpoch: 0, topics: [{ topicId, partitions }] })
    )
    expect(opened.sessionId).not.toBe(0)
    await broker.produce(topicId, batchOf(['x']), { index: 1 })
    const next = { sessionId: opened.sessionId, sessionEpoch: 1, topics: [] }
    const { responses } = await broker.request('Fetch', broker.fetchRequest(topicId, 0n, next))
    expect(responses[0]?.partitions.map(({ partitionIndex }) => partitionIndex)).toEqual([1])
    expect((await broker.request('Fetch', broker.fetchRequest(topicId, 0n, next))).errorCode).toBe(
      'INVALID_FETCH_SESSION_EPOCH'
    )
  })
})

it.each([7, 12, 13, 18])('the error of a session in Fetch v%i has no session id and no partitions', async version => {
  await using harness = await Harness.start()
  const topicId = await harness.createTopic('t')
  const partitions = [{ partition: 0, fetchOffset: 0n, partitionMaxBytes: 1000 }]
  const fields = { sessionId: 77, sessionEpoch: 1, topics: [{ topic: 't', topicId, partitions }] }
  const response = await harness.request('Fetch', harness.fetchRequest(topicId, 0n, fields), { version })
  expect(response).toMatchObject({ errorCode: 'FETCH_SESSION_ID_NOT_FOUND', sessionId: 0, responses: [] })
})

it('a delayed Fetch gets INVALID_FETCH_SESSION_EPOCH with the session id after a later one of its session', async () => {
  await using harness = await Harness.start()
  const topicId = await harness.createTopic('t')
  const partitions = [{ partition: 0, fetchOffset: 0n, partitionMaxBytes: 1000 }]
  const fetch = (sessionId: number, sessionEpoch: number, maxWaitMs: number, topic: string[]) => {
    const topics = topic.map(name => ({ topic: name, partitions }))
    const fields = { sessionId, sessionEpoch, maxWaitMs, topics }
    return harness.request('Fetch', harness.fetchRequest(topicId, 0n, fields), { version: 12 })
  }
  const { sessionId } = await fetch(0, 0, 0, ['t'])
  const delayed = fetch(sessionId, 1, 60_000, ['t'])
  await fetch(sessionId, 2, 0, [])
  await harness.produce(topicId, batchOf(['a']))
  expect(await delayed).toMatchObject({ errorCode: 'INVALID_FETCH_SESSION_EPOCH', sessionId, responses: [] })
})

describe('the memory of Fetch responses', () => {
  const VALUES = ['a', 'b', 'c', 'd'].map(letter => letter.repeat(50_000))
  const frameOf = (request: object) =>
    Buffer.concat(encodeRequest(APIS.Fetch, 17, { correlationId: 1, clientId: null }, request as never)).subarray(4)
  const recordsOf = (response: readonly Buffer[] | undefined) =>
    decodeResponse(APIS.Fetch, 17, Buffer.concat(response ?? []).subarray(4)).response.responses[0]?.partitions[0]
      ?.records ?? null

  async function start(stages: InsertedStages = {}) {
    const broker = await Harness.start({ stages })
    const topicId = await broker.createTopic('t')
    for (const value of VALUES) await broker.produce(topicId, batchOf([value]))
    const fetch = (offset: bigint, changes = {}) =>
      broker.dispatch(frameOf(broker.fetchRequest(topicId, offset, changes)), inProcessConnection())
    return { broker, topicId, fetch }
  }

  it('is used again after the release of the response, and not before', async () => {
    const { broker, fetch } = await start()
    await using _ = broker
    const first = await fetch(0n)
    const second = await fetch(1n)
    expect(valuesIn(recordsOf(first.response))).toEqual(VALUES)
    expect(valuesIn(recordsOf(second.response))).toEqual(VALUES.slice(1))
    second.memory.release()
    const third = await fetch(2n)
    expect(valuesIn(recordsOf(first.response))).toEqual(VALUES)
    expect(valuesIn(recordsOf(third.response))).toEqual(VALUES.slice(2))
    expect(Buffer.concat(second.response ?? []).includes('bbbb')).toBe(false)
  })

  it('returns before the request is delayed, and after a refused response', async () => {
    const seen: { buffers: RequestBuffers; response: object | undefined }[] = []
    const { broker, topicId, fetch } = await start({
      after: [
        exchange => {
          if (exchange.api.name !== 'Fetch') return
          seen.push({ buffers: exchange.buffers, response: exchange.response })
          if (seen.length === 2) throw new CloseConnection({ cause: 'ResponseDropped' })
        }
      ]
    })
    await using _ = broker
    const delayed = fetch(0n, { minBytes: 250_000, maxWaitMs: 60_000 })
    const blocked = await yieldToEventLoop().then(() => seen.length)
    expect(blocked).toBe(0)
    await broker.produce(topicId, batchOf(['e'.repeat(60_000)]))
    const { response, memory } = await delayed
    expect(valuesIn(recordsOf(response))).toHaveLength(5)
    expect(seen[0]?.buffers.lentBytes).toBeLessThan(2 * 260_000)
    memory.release()
    await expect(fetch(0n)).rejects.toThrow(CloseConnection)
    expect(seen[1]?.buffers.lentBytes).toBe(0)
  })
})
