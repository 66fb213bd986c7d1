const { MiniKafka } = require('minikafka')
const { roundTrip } = require('round-trip')

test('a test in Jest as it is requires the package', async () => {
  const kafka = await MiniKafka.start({ topics: ['orders'] })
  expect(await roundTrip(kafka.bootstrapServers)).toBe('coffee')
  await kafka.stop()
})
