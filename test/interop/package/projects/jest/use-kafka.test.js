const { sharedKafka, useKafka } = require('minikafka/jest')
const { roundTrip, topics } = require('round-trip')

const kafka = useKafka({ topics: ['orders'] })

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
  expect(() => sharedKafka()).toThrow("add globalSetup: 'minikafka/jest'")
})
