import { sharedKafka, useKafka } from 'minikafka/vitest'
import { roundTrip, topics } from 'round-trip'
import { describe, expect, test } from 'vitest'

const kafka = useKafka({ topics: ['orders'] })
expect(() => kafka.bootstrapServers).toThrow('has not started')

test('a file has a broker of its own', async () => {
  expect(await roundTrip(kafka.bootstrapServers)).toBe('coffee')
})

describe('a describe block', () => {
  const other = useKafka({ topics: ['payments'] })

  test('has a broker of its own', async () => {
    expect(other.bootstrapServers).not.toBe(kafka.bootstrapServers)
    expect(await topics(other.bootstrapServers)).toEqual(['payments'])
  })
})

test('a shared broker needs a global setup', () => {
  expect(() => sharedKafka()).toThrow("add globalSetup: 'minikafka/vitest'")
})
