/** The initial topics and records of a broker, and errors while they are written. */
import { expect, it } from 'vitest'
import { resolve } from '../../src/config/resolve.ts'
import { ConfigError } from '../../src/config/sources.ts'
import type { Dispatch } from '../../src/net/dispatch.ts'
import { APIS } from '../../src/protocol/messages/index.ts'
import { silentLogger } from '../../src/runtime/logger.ts'
import { Harness } from '../../src/testing/harness.ts'
import { InProcessClient } from '../../src/testing/in-process-client.ts'
import { ManualClock } from '../../src/testing/manual-clock.ts'
import { type InitialData, type SeededBroker, seed } from '../../src/testing/seeding.ts'
import { responding } from '../net/server-fixture.ts'

const WRONG_RECORD = { element: { topic: 'orders', partition: 9 }, source: 'r.ndjson line 1' }

function seededBroker({ clock }: Harness, dispatch: Dispatch): SeededBroker {
  return { dispatch, settings: resolve().settings, clocks: clock, logger: silentLogger, dataDir: null }
}

function initialData(topics: InitialData['topics'], records: InitialData['records'] = []): InitialData {
  return { source: '--topic', topics, records }
}

/** Answers requests of an API by `answer`, the others by the broker. */
function intercepting({ dispatch }: Harness, name: 'CreateTopics' | 'DeleteTopics', answer: Dispatch): Dispatch {
  return (frame, connection) => (frame.readInt16BE() === APIS[name].key ? answer : dispatch)(frame, connection)
}

it('topics beyond the limit of one CreateTopics request are created by several', async () => {
  await using harness = await Harness.start()
  const names = Array.from({ length: 6000 }, (_, index) => `t${index}`)
  let requests = 0
  const counting = intercepting(harness, 'CreateTopics', (frame, connection) => {
    requests++
    return harness.dispatch(frame, connection)
  })
  await seed(seededBroker(harness, counting), initialData([{ name: 'wide', partitions: 9999 }, ...names]))
  expect(requests).toBe(4)
  expect(harness.broker.topicNames()).toHaveLength(6001)
})

it('a topic with more partitions than one request may have is refused with the limit', async () => {
  await using harness = await Harness.start()
  const seeding = seed(seededBroker(harness, harness.dispatch), initialData(['a', { name: 'b', partitions: 10_001 }]))
  await expect(seeding).rejects.toThrow(
    new ConfigError(
      '--topic: topic b cannot be created: Excessively large number of partitions per request. A topic has at most 9999 partitions and settings.'
    )
  )
  expect(harness.broker.topicNames()).toEqual([])
})

it('a topic that is given twice is refused', async () => {
  await using harness = await Harness.start()
  const names = Array.from({ length: 6000 }, (_, index) => `t${index}`)
  await expect(seed(seededBroker(harness, harness.dispatch), initialData([...names, 't0']))).rejects.toThrow(
    new ConfigError('--topic: topic t0 is listed twice')
  )
})

it('the refusal of a topic name with control characters is one line', async () => {
  await using harness = await Harness.start()
  await expect(seed(seededBroker(harness, harness.dispatch), initialData(['a\n\u0085b']))).rejects.toThrow(
    new ConfigError(
      "--topic: topic a\\n\\u0085b cannot be created: Topic name is invalid: 'a\\n\\u0085b' contains one or more characters other than ASCII alphanumerics, '.', '_' and '-'"
    )
  )
})

it('topics that cannot be deleted after a refused record are named behind the refusal', async () => {
  await using harness = await Harness.start()
  const failing = intercepting(harness, 'DeleteTopics', () => Promise.reject(new Error('the disk is full')))
  await expect(seed(seededBroker(harness, failing), initialData(['empty'], [WRONG_RECORD]))).rejects.toThrow(
    new ConfigError(
      'r.ndjson line 1: partition is 9, but topic orders has partition 0 alone; topic empty could not be deleted (the disk is full): delete it; topic orders could not be deleted (the disk is full): delete it'
    )
  )
})

it('a CreateTopics request without a response ends the start', async () => {
  await using harness = await Harness.start()
  const silent = intercepting(harness, 'CreateTopics', async () => responding(undefined))
  await expect(seed(seededBroker(harness, silent), initialData(['orders']))).rejects.toThrow(
    'CreateTopics has no response'
  )
})

it('a retriable error is retried after pauses by the loop clock, which double up to 100 ms', async () => {
  const clock = new ManualClock()
  const client = new InProcessClient(() => Promise.reject(new Error('not used')), clock.loop)
  const pausesMs = [1, 2, 4, 8, 16, 32, 64, 100, 100]
  let count = 0
  const retried = client.retried(async () => ({
    errorCode: count++ < pausesMs.length ? ('CONCURRENT_TRANSACTIONS' as const) : ('NONE' as const)
  }))
  const waitedMs: unknown[] = []
  for (const _ of pausesMs) {
    await new Promise(resolve => setImmediate(resolve))
    waitedMs.push(clock.nextAlarmInMs)
    clock.advance(clock.nextAlarmInMs ?? 0)
  }
  expect(await retried).toEqual({ errorCode: 'NONE' })
  expect(waitedMs).toEqual(pausesMs)
})

it('a stop signal ends the pause before a retry', async () => {
  const clock = new ManualClock()
  const stopping = new AbortController()
  const client = new InProcessClient(() => Promise.reject(new Error('not used')), clock.loop, stopping.signal)
  const retried = client.retried(async () => ({ errorCode: 'NOT_COORDINATOR' as const }))
  stopping.abort(new Error('stopped'))
  await expect(retried).rejects.toThrow('stopped')
})
