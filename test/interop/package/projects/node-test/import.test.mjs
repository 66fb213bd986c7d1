import assert from 'node:assert/strict'
import { createRequire } from 'node:module'
import { test } from 'node:test'
import { MiniKafka } from 'minikafka'
import { roundTrip } from 'round-trip'

test('a module imports the package', async () => {
  const kafka = await MiniKafka.start({ topics: ['orders'] })
  assert.equal(await roundTrip(kafka.bootstrapServers), 'coffee')
  await kafka.stop()
})

test('import and require give the same class', () => {
  assert.equal(createRequire(import.meta.url)('minikafka').MiniKafka, MiniKafka)
})
