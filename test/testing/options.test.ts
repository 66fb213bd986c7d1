/** The validation of the fixture's options. */
import { inspect } from 'node:util'
import { expect, it } from 'vitest'
import { ConfigError, MiniKafka } from '../../src/index.ts'

/** The message by which `MiniKafka.start` rejects options. */
async function refusal(options: unknown): Promise<string> {
  try {
    await using _ = await MiniKafka.start(options as object)
  } catch (error) {
    expect(error).toBeInstanceOf(ConfigError)
    expect((error as Error).name).toBe('ConfigError')
    return (error as Error).message
  }
  return expect.unreachable('it started')
}

it.each<{ options: unknown; message: string }>([
  { options: { topics: 'orders' }, message: `: topics is "orders", but must be an array of topics, as in ['orders']` },
  { options: { topics: [] as unknown, topcs: [] }, message: ' has no option topcs; did you mean topics?' },
  {
    options: { topics: ['a', 7] },
    message: `: topics[1] is 7, but must be the name of a topic or an object, as in { name: 'orders', partitions: 3 }`
  },
  { options: { topics: [''] }, message: ': topics[0] is "", but must be the name of a topic, at most 249 characters' },
  {
    options: { topics: [{ name: 'a', partitons: 3 }] },
    message: ': topics[0] has no option partitons; did you mean partitions?'
  },
  { options: { topics: [{ partitions: 3 }] }, message: ': topics[0] lacks the option name: the name of the topic' },
  {
    options: { topics: ['b', { name: 'a', partitions: '3' }] },
    message: ': topics[1].partitions is "3", but must be a whole number from 1 to 2147483647'
  },
  {
    options: { topics: [{ name: 'a', partitions: Number.NaN }] },
    message: ': topics[0].partitions is NaN, but must be a whole number from 1 to 2147483647'
  },
  {
    options: { topics: [{ name: 'a', replicationFactor: 40_000 }] },
    message: ': topics[0].replicationFactor is 40000, but must be a whole number from 1 to 32767'
  },
  {
    options: { topics: [{ name: 'a', config: { 'cleanup.policy': [] } }] },
    message:
      ': topics[0].config["cleanup.policy"] is an empty array, but must be a string of at most 32767 bytes, a number, a bigint or a boolean'
  },
  {
    options: { topics: new Map() },
    message: `: topics is an object of class Map, but must be an array of topics, as in ['orders']`
  },
  {
    options: { config: [] },
    message: `: config is an empty array, but must be an object of settings by Kafka's names, as in { 'num.partitions': 3 }`
  },
  {
    options: { config: { 'num.partitions': null } },
    message:
      ': config["num.partitions"] is null, but must be a string of at most 32767 bytes, a number, a bigint or a boolean'
  },
  { options: { dataDir: '' }, message: ': dataDir is "", but must be the path of a directory' },
  { options: { dataDir: null }, message: ': dataDir is null, but must be the path of a directory' },
  { options: { dataDir: 'a\0b' }, message: ': dataDir is "a\\u0000b", but must be the path of a directory' },
  {
    options: { port: 9092, config: { listeners: 'PLAINTEXT://localhost:0' } },
    message: ': config has listeners, which set host and port: omit the option port, or listeners'
  },
  {
    options: { host: 'localhost', config: { listeners: 'PLAINTEXT://localhost:0' } },
    message: ': config has listeners, which set host and port: omit the option host, or listeners'
  },
  {
    options: {
      get topics() {
        throw new Error('no\ntopics')
      }
    },
    message: ': topics cannot be read: it throws "no\\ntopics"'
  },
  {
    options: {
      topics: [
        {
          get name() {
            throw null
          }
        }
      ]
    },
    message: ': topics[0].name cannot be read: it throws null'
  },
  {
    options: {
      config: {
        get 'num.partitions'() {
          throw new Error('secret')
        }
      }
    },
    message: ': config["num.partitions"] cannot be read: it throws "secret"'
  },
  { options: { port: '9092' }, message: ': port is "9092", but must be a whole number from 0 to 65535' },
  { options: { port: 65_536 }, message: ': port is 65536, but must be a whole number from 0 to 65535' },
  { options: { host: 7n }, message: ': host is 7n, but must be a host name or address without port' },
  {
    options: { logger: { info: () => {} } },
    message:
      ": logger is an object, but must be an object with the methods debug, info, warn, error, child, as pino's loggers have them"
  },
  {
    options: { host: 'localhost:9092' },
    message: ': host is "localhost:9092", but must be a host name or address without port'
  },
  {
    options: { host: 'http://localhost' },
    message: ': host is "http://localhost", but must be a host name or address without port'
  },
  {
    options: { config: { 'log.dirs': 'data' } },
    message: ': config has log.dirs or log.dir: use the option dataDir instead'
  },
  {
    options: { config: { 'broker.rack': 'x'.repeat(40_000) } },
    message: `: config["broker.rack"] is "${'x'.repeat(40)}...", but must be a string of at most 32767 bytes, a number, a bigint or a boolean`
  },
  {
    options: Promise.resolve({}),
    message: ": options is an object of class Promise, but must be an object of options, as in { topics: ['orders'] }"
  },
  { options: { brokers: 3 }, message: ' has no option brokers' },
  { options: { ['x'.repeat(10_000)]: 1 }, message: ` has no option ${'x'.repeat(40)}...` },
  {
    options: 'secret',
    message: `: options is a string, but must be an object of options, as in { topics: ['orders'] }`
  },
  { options: null, message: `: options is null, but must be an object of options, as in { topics: ['orders'] }` },
  {
    options: [],
    message: `: options is an empty array, but must be an object of options, as in { topics: ['orders'] }`
  }
])('MiniKafka.start rejects options in one sentence: MiniKafka.start$message', async ({ options, message }) => {
  expect(await refusal(options)).toBe(`MiniKafka.start${message}`)
})

/** An object whose members are read once at most: a second reading gives `'read twice'`. */
function readOnce<Target extends object>(target: Target): Target {
  const read = new Set<string | symbol>()
  return new Proxy(target, {
    get(_, name) {
      if (read.has(name) && !(Array.isArray(target) && typeof name === 'symbol')) return 'read twice'
      read.add(name)
      return Reflect.get(target, name)
    }
  })
}

it('MiniKafka.start reads each option once', async () => {
  const topic = readOnce({ name: 'orders', partitions: 2, config: readOnce({ 'retention.ms': -1 }) })
  const records = [readOnce({ topic: 'orders', partition: 1, headers: readOnce({ h: 'v' }) })]
  const options = readOnce({ topics: [topic], records, config: readOnce({ 'num.partitions': 3 }), host: 'localhost' })
  await using kafka = await MiniKafka.start(options)
  expect(inspect(kafka)).toContain("topics: [ 'orders' ]")
})

it('changes of the options after the call of MiniKafka.start have no effect', async () => {
  const topics = [{ name: 'orders', partitions: 1 }]
  const value = Buffer.from('coffee')
  const records = [{ topic: 'payments', value, timestamp: new Date(), headers: { h: ['v'] } }]
  const starting = MiniKafka.start({ topics, records })
  topics[0] = { name: 'no spaces', partitions: 1 }
  records[0]?.timestamp.setTime(Number.NaN)
  Object.assign(records[0] ?? {}, { topic: 'no spaces', headers: { h: 7 } })
  records.push({ topic: 'no spaces', value, timestamp: new Date(), headers: { h: [] } })
  await using kafka = await starting
  expect(inspect(kafka)).toContain("topics: [ 'orders', 'payments' ]")
})

it('MiniKafka.start takes an option that is undefined as absent, nested options too', async () => {
  const topics = [{ name: 'orders', partitions: undefined, config: { 'retention.ms': undefined } }]
  const config = { 'num.partitions': undefined }
  await using kafka = await MiniKafka.start({ topics, config, port: undefined, host: undefined, logger: undefined })
  expect(kafka.bootstrapServers).toMatch(/^localhost:\d+$/)
})

it('MiniKafka.start rejects a topic that the broker refuses, with the reason of Kafka', async () => {
  expect(await refusal({ topics: [{ name: 'a', replicationFactor: 3 }] })).toBe(
    'MiniKafka.start: topic a cannot be created: Unable to replicate the partition 3 time(s): The target replication factor of 3 cannot be reached because only 1 broker(s) are registered or some brokers have all their log directories cordoned.'
  )
  expect(await refusal({ topics: [{ name: 'a', config: { 'retention.ms': 'long' } }] })).toContain(
    'MiniKafka.start: topic a cannot be created: Invalid value long for configuration retention.ms'
  )
})

it('a setting of a topic that does not exist is rejected with the nearest name', async () => {
  const topics = ['b', { name: 'a', config: { 'cleanup.polcy': 'compact' } }]
  expect(await refusal({ topics })).toBe(
    'MiniKafka.start: topics[1].config has no setting cleanup.polcy; did you mean cleanup.policy?'
  )
})
