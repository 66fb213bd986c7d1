import assert from 'node:assert/strict'
import { MiniKafka } from 'minikafka'
import { roundTrip } from 'round-trip'

describe('a module in mocha', () => {
  let kafka
  before(async () => {
    kafka = await MiniKafka.start({ topics: ['orders'] })
  })
  after(() => kafka.stop())

  it('imports the package', async () => {
    assert.equal(await roundTrip(kafka.bootstrapServers), 'coffee')
  })
})
