import { sharedKafka } from 'minikafka/jest'
import { topics } from 'round-trip'

test('a worker has a broker of its own', async () => {
  const kafka = sharedKafka()
  expect(kafka.topic('orders')).toBe('orders')
  expect(await topics(kafka.bootstrapServers)).toEqual(['orders'])
})
