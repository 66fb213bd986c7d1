import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { useKafka } from 'minikafka/node-test'
import { roundTrip, topics } from 'round-trip'

const kafka = useKafka({ topics: ['orders'] })

test('a file has a broker of its own', async () => {
  assert.equal(await roundTrip(kafka.bootstrapServers), 'coffee')
})

describe('a describe block', () => {
  const other = useKafka({ topics: ['payments'] })

  test('has a broker of its own', async () => {
    assert.deepEqual(await topics(other.bootstrapServers), ['payments'])
  })
})
