// The Java clients, the newest and the oldest that we support: producer, consumer, groups, Admin.
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { brokers, type RunningBroker } from './brokers.ts'
import { javaTask, type TaskResult } from './java/client.ts'

const VERSIONS = ['4.4.0', '2.8.2']
const CODECS = ['none', 'gzip', 'snappy', 'lz4', 'zstd']

describe.each(brokers.map(({ name, share }) => [name, share] as const))('%s', (_, share) => {
  let broker: RunningBroker
  beforeAll(async () => {
    broker = await share()
  })
  afterAll(() => broker?.stop())

  describe.each(VERSIONS)('with kafka-clients %s', version => {
    const task = (name: string, ...args: (string | number | boolean)[]): Promise<TaskResult> =>
      javaTask(version, name, broker.bootstrapServers, ...args)

    test.each(CODECS)('the Java clients read records compressed with %s in order', async codec => {
      const topic = `codec-${codec}-${version}`
      await task('produce', topic, 3, 5000, 100, codec, 'all', true)
      expect(await task('consume', topic, 3, 5000, 100, `group-${topic}`)).toMatchObject({ consumed: 5000 })
    })

    test.each(['0', '1', 'all'])('the Java consumer reads records that were sent with acks=%s', async acks => {
      const topic = `acks-${acks}-${version}`
      await task('produce', topic, 2, 500, 100, 'none', acks, false)
      expect(await task('consume', topic, 2, 500, 100, `group-${topic}`)).toMatchObject({ consumed: 500 })
    })

    test('an idempotent producer with five requests in flight leaves dense offsets', async () => {
      expect(await task('idempotent', `idempotent-${version}`, 500)).toMatchObject({ produced: 1000 })
    })

    test('two members of a group share a topic, commit, and continue at their offsets', async () => {
      expect(await task('group', `shared-${version}`, `group-${version}`)).toMatchObject({ consumed: 400 })
    })

    test('an Admin creates, changes and deletes a topic', async () => {
      expect(await task('admin', `life-${version}`)).toEqual({ admin: 'ok' })
    })

    test('records of 900 kB are produced and consumed', async () => {
      await task('produce', `large-${version}`, 1, 20, 900_000, 'none', 'all', true)
      const result = await task('consume', `large-${version}`, 1, 20, 900_000, `large-${version}`)
      expect(result).toMatchObject({ consumed: 20 })
    })

    test('a million records are read back in order', async () => {
      expect(await task('million', `million-${version}`, 3)).toMatchObject({ count: 1_000_000 })
    })
  })
})
