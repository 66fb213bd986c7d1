/** The texts of --topic and the lines of --records. */
import { Readable } from 'node:stream'
import { expect, it } from 'vitest'
import { elementsOf, initialData, topicOf } from '../../src/cli/initial-data.ts'
import { ConfigError } from '../../src/config/sources.ts'

it.each<{ text: string; topic: object }>([
  { text: 'orders', topic: { name: 'orders', config: {} } },
  { text: 'orders:3', topic: { name: 'orders', partitions: 3, config: {} } },
  { text: 'orders:3:1', topic: { name: 'orders', partitions: 3, replicationFactor: 1, config: {} } },
  { text: 'orders:cleanup.policy=compact', topic: { name: 'orders', config: { 'cleanup.policy': 'compact' } } },
  {
    text: 'orders:3:retention.ms=1000:cleanup.policy=compact,delete',
    topic: { name: 'orders', partitions: 3, config: { 'retention.ms': '1000', 'cleanup.policy': 'compact,delete' } }
  },
  {
    text: 'orders:leader.replication.throttled.replicas=0:1,1:1:retention.ms=5',
    topic: { name: 'orders', config: { 'leader.replication.throttled.replicas': '0:1,1:1', 'retention.ms': '5' } }
  },
  { text: 'orders:cleanup.policy=a=b:', topic: { name: 'orders', config: { 'cleanup.policy': 'a=b:' } } }
])('--topic $text has name, counts and settings', ({ text, topic }) => {
  expect(topicOf(text)).toEqual(topic)
})

it.each<{ text: string; message: string }>([
  {
    text: 'orders:x',
    message:
      '--topic "orders:x": write it as name[:partitions[:replicas]][:key=value...], as in orders:3:cleanup.policy=compact'
  },
  {
    text: 'orders:3:1:2',
    message:
      '--topic "orders:3:1:2": write it as name[:partitions[:replicas]][:key=value...], as in orders:3:cleanup.policy=compact'
  },
  {
    text: 'orders:retention.ms=1:cleanup.policy=compact:retention.ms=2',
    message: '--topic "orders:retention.ms=1:cleanup.policy=compact:retention.ms=2": retention.ms is given twice'
  },
  { text: ':3', message: '--topic ":3": name is "", but must be the name of a topic, at most 249 characters' },
  { text: 'orders:0', message: '--topic "orders:0": partitions is 0, but must be a whole number from 1 to 2147483647' },
  {
    text: 'orders:99999999999',
    message: '--topic "orders:99999999999": partitions is 99999999999, but must be a whole number from 1 to 2147483647'
  },
  {
    text: 'orders:cleanup.polcy=compact',
    message: '--topic "orders:cleanup.polcy=compact": config has no setting cleanup.polcy; did you mean cleanup.policy?'
  }
])('--topic $text is refused', ({ text, message }) => {
  expect(() => topicOf(text)).toThrow(new ConfigError(message))
})

it('--records without the name of a file is refused', async () => {
  const reading = initialData({ records: '' }, new AbortController().signal)
  await expect(reading).rejects.toThrow(new ConfigError('--records requires the name of a file, or - for stdin'))
})

/** The elements of a text that arrives in chunks of a few bytes. */
async function elements(text: string | Buffer, chunkBytes = 3): Promise<unknown[]> {
  const bytes = Buffer.from(text)
  const chunks = Array.from({ length: Math.ceil(bytes.length / chunkBytes) }, (_, index) =>
    bytes.subarray(index * chunkBytes, (index + 1) * chunkBytes)
  )
  const found = []
  for await (const { element, source } of elementsOf(Readable.from(chunks), 'r.ndjson')) found.push([source, element])
  return found
}

it('record lines can end with CRLF, be blank, begin with a byte order mark, and the last one can be unterminated', async () => {
  const text = '\uFEFF{"topic":"ü"}\r\n\r\n  \n{"topic":"b","key":null}'
  expect(await elements(text)).toEqual([
    ['r.ndjson line 1', { topic: 'ü' }],
    ['r.ndjson line 4', { topic: 'b', key: null }]
  ])
  expect(await elements('')).toEqual([])
  expect(await elements('\n')).toEqual([])
})

const FORM = 'write one object on each line, as in {"topic":"orders","key":"k","value":"v"}'

it.each<{ text: string | Buffer; message: string }>([
  { text: '{"topic":"a"}\n{"topic":"secret",}\n', message: `r.ndjson line 2 is not JSON, at column 19: ${FORM}` },
  { text: '{', message: `r.ndjson line 1 is not JSON, at column 2: ${FORM}` },
  { text: 'topic', message: `r.ndjson line 1 is not JSON: ${FORM}` },
  {
    text: '\n[]',
    message: 'r.ndjson line 2 is an empty array, but must be an object, as in {"topic":"orders","key":"k","value":"v"}'
  },
  { text: '{"topic":"a","valeu":"v"}', message: 'r.ndjson line 1 has no field valeu; did you mean value?' },
  {
    text: '{"topic":"a","value":{"id":1}}',
    message: 'r.ndjson line 1: value is an object, but must be a string or null'
  },
  {
    text: '{"transactionalId":"t","records":[{"topic":"a","key":1}]}',
    message: 'r.ndjson line 1: records[0].key is 1, but must be a string or null'
  },
  {
    text: '{"topic":"a","timestamp":"2024-01-01"}',
    message: 'r.ndjson line 1: timestamp is "2024-01-01", but must be milliseconds since 1970 as a whole number from 0'
  },
  {
    text: '{"topic":"a","headers":[]}',
    message:
      'r.ndjson line 1: headers is an empty array, but must be an object of header values, as in {"source":"test"}'
  },
  {
    text: '{"topic":"a","headers":{"h":1}}',
    message: 'r.ndjson line 1: headers.h is 1, but must be a string, null, or an array of these'
  },
  { text: Buffer.from([0x0a, 0xff, 0xfe, 0x0a]), message: 'r.ndjson line 2 is not UTF-8 text' }
])('a wrong record line is refused with its number: $message', async ({ text, message }) => {
  await expect(elements(text)).rejects.toThrow(new ConfigError(message))
})

it('an endless record line is refused before it is read completely', async () => {
  const chunk = Buffer.alloc(1_000_000, 'x')
  let chunks = 0
  async function* endless() {
    yield Buffer.from('{}\n'.replace('{}', '{"topic":"a"}'))
    for (;;) {
      chunks++
      yield chunk
    }
  }
  const reading = elementsOf(endless(), 'r.ndjson')
  await reading.next()
  await expect(reading.next()).rejects.toThrow(`r.ndjson line 2 has more than 16777216 bytes: ${FORM}`)
  expect(chunks).toBeLessThan(20)
})
