import { MiniKafka } from 'minikafka'
import { roundTrip } from 'round-trip'
import { expect, test } from 'vitest'

test('a test imports the package', async () => {
  const kafka = await MiniKafka.start({ topics: ['orders'] })
  expect(await roundTrip(kafka.bootstrapServers)).toBe('coffee')
  await kafka.stop()
})
