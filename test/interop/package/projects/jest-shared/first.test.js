const { sharedKafka } = require('minikafka/jest')
const { roundTrip } = require('round-trip')

test('a worker has names of its own on the broker of all', async () => {
  const kafka = sharedKafka()
  expect(kafka.namespace).toBe(`w${process.env.JEST_WORKER_ID}-`)
  expect(await roundTrip(kafka.bootstrapServers, kafka.topic('first'), kafka.group('first'))).toBe('coffee')
})
