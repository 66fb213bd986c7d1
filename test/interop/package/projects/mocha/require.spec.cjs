const assert = require('node:assert/strict')
const { MiniKafka } = require('minikafka')
const { roundTrip } = require('round-trip')

describe('a CommonJS file in mocha', () => {
  let kafka
  before(async () => {
    kafka = await MiniKafka.start({ topics: ['orders'] })
  })
  after(() => kafka.stop())

  it('requires the package', async () => {
    assert.equal(await roundTrip(kafka.bootstrapServers), 'coffee')
  })
})
