const assert = require('node:assert/strict')
const { test } = require('node:test')
const { useKafka } = require('minikafka/node-test')
const { roundTrip } = require('round-trip')

const kafka = useKafka({ topics: ['orders'] })

test('a file has a broker of its own', async () => {
  assert.equal(await roundTrip(kafka.bootstrapServers), 'coffee')
})
