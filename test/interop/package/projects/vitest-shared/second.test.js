import { sharedKafka } from 'minikafka/vitest'
import { roundTrip } from 'round-trip'
import { expect, test } from 'vitest'

test('a worker has names of its own on the broker of all', async () => {
  const kafka = sharedKafka()
  expect(kafka.namespace).toBe(`w${process.env.VITEST_POOL_ID}-`)
  expect(await roundTrip(kafka.bootstrapServers, kafka.topic('second'), kafka.group('second'))).toBe('coffee')
})
