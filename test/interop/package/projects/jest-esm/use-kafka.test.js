import { useKafka } from 'minikafka/jest'
import { roundTrip } from 'round-trip'

const kafka = useKafka({ topics: ['orders'] })

test('a file has a broker of its own', async () => {
  expect(await roundTrip(kafka.bootstrapServers)).toBe('coffee')
})
