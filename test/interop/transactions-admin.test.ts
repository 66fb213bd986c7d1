// The transaction requests of a Java Admin: minikafka and a real Kafka give the same results.
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { brokers, type RunningBroker } from './brokers.ts'
import { streamsTask } from './java/client.ts'

/**
 * Expected results. `open` has an open and a committed transaction, `done` only a committed one, at offsets 4, 0 and 2.
 */
const SEEN = {
  'described open': 'Ongoing 54321 1 since true',
  'described done': 'CompleteCommit 54321 0 since true',
  'described nobody': 'TransactionalIdNotFoundException',
  listed: 'done CompleteCommit, open Ongoing',
  'listed ongoing': 'open Ongoing',
  'listed complete': 'done CompleteCommit',
  'listed by id': 'open Ongoing',
  'listed by both': '',
  'listed longer than an hour': '',
  'listed by pattern': 'done CompleteCommit',
  'listed by bad pattern': 'InvalidRegularExpression',
  producers: 'idle after -1, open at 4',
  'aborted by an old epoch': 'InvalidProducerEpochException',
  'stable after the abort': '6 of 6',
  fenced: 'true ProducerFencedException'
}

describe.each(brokers.map(({ name, start }) => [name, start] as const))('%s', (_, start) => {
  let broker: RunningBroker
  beforeAll(async () => {
    broker = await start()
  })
  afterAll(() => broker?.stop())

  test('an Admin lists, describes, aborts and fences transactions', async () => {
    expect(await streamsTask('admin', broker.bootstrapServers, 'admin')).toEqual(SEEN)
  })
})
