import { MiniKafka } from 'minikafka'
import { roundTrip } from 'round-trip'

test('a test in ts-jest imports the package', async () => {
  const kafka = await MiniKafka.start({ topics: ['orders'] })
  expect(await roundTrip(kafka.bootstrapServers)).toBe('coffee')
  await kafka.stop()
})

test('import() in ts-jest gives the same class', async () => {
  expect((await import('minikafka')).MiniKafka).toBe(MiniKafka)
})
