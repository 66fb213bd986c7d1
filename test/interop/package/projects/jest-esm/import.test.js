import { MiniKafka } from 'minikafka'
import { roundTrip } from 'round-trip'

test('a module in Jest imports the package', async () => {
  const kafka = await MiniKafka.start({ topics: ['orders'] })
  expect(await roundTrip(kafka.bootstrapServers)).toBe('coffee')
  await kafka.stop()
})
