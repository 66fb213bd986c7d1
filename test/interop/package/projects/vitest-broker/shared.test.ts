import { sharedKafka } from 'minikafka/vitest'
import { topics } from 'round-trip'
import { expect, test } from 'vitest'

test('a worker has a broker of its own', async () => {
  const kafka = sharedKafka()
  expect(kafka.topic('orders')).toBe('orders')
  expect(await topics(kafka.bootstrapServers)).toEqual(['orders'])
})
