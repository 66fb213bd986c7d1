const assert = require('node:assert/strict')
const { test } = require('node:test')
const { MiniKafka } = require('minikafka')
const { roundTrip } = require('round-trip')

test('a CommonJS file requires the package', async () => {
  const kafka = await MiniKafka.start({ topics: ['orders'] })
  assert.equal(await roundTrip(kafka.bootstrapServers), 'coffee')
  await kafka.stop()
})
