// Clients that are not Java or kafkajs: kcat and confluent-kafka (two versions of librdkafka) and @platformatic/kafka.
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { brokers, type RunningBroker } from './brokers.ts'
import { made } from './made.ts'

const run = promisify(execFile)
const FOLDER = import.meta.dirname
const CODECS = ['none', 'gzip', 'snappy', 'lz4', 'zstd']
const LIMIT = { timeout: 120_000 }

describe.each(brokers.map(({ name, share }) => [name, share] as const))('%s', (_, share) => {
  let broker: RunningBroker
  beforeAll(async () => {
    broker = await share()
  })
  afterAll(() => broker?.stop())

  describe('with kcat', () => {
    const numbers = Array.from({ length: 1000 }, (_, n) => `${n}\n`).join('')
    const kcat = async (args: readonly string[], input = ''): Promise<string> => {
      const running = run('kcat', ['-b', broker.bootstrapServers, ...args], LIMIT)
      running.child.stdin?.end(input)
      return (await running).stdout
    }

    test.each(CODECS)('kcat reads lines compressed with %s in order', async codec => {
      const topic = `kcat-${codec}`
      await kcat(['-P', '-t', topic, '-z', codec, '-X', 'enable.idempotence=true'], numbers)
      expect(await kcat(['-C', '-t', topic, '-e', '-q'])).toBe(numbers)
    })

    test.each(['0', '1', '-1'])('kcat reads lines that were sent with acks=%s', async acks => {
      await kcat(['-P', '-t', `kcat-acks${acks}`, '-X', `acks=${acks}`], numbers)
      expect(await kcat(['-C', '-t', `kcat-acks${acks}`, '-c', '1000', '-q'])).toBe(numbers)
    })

    test('a group of kcat commits its offsets and continues after them', async () => {
      await kcat(['-P', '-t', 'kcat-group'], numbers)
      const group = ['-G', 'kcat-group', '-q', '-X', 'auto.offset.reset=earliest']
      expect(await kcat([...group, '-c', '1000', 'kcat-group'])).toBe(numbers)
      await kcat(['-P', '-t', 'kcat-group'], 'last\n')
      expect(await kcat([...group, '-c', '1', 'kcat-group'])).toBe('last\n')
    })

    test('kcat reads keys, headers and offsets as they were sent', async () => {
      await kcat(['-P', '-t', 'kcat-parts', '-K', ':', '-H', 'a=1', '-p', '0'], 'k:v\n')
      const format = ['-f', '%k %s %h %o\n', '-e', '-q']
      expect(await kcat(['-C', '-t', 'kcat-parts', ...format])).toBe('k v a=1 0\n')
      expect(await kcat(['-C', '-t', 'kcat-parts', '-o', '-1', ...format])).toBe('k v a=1 0\n')
    })

    test('kcat lists brokers, topics and end offsets', async () => {
      await kcat(['-P', '-t', 'kcat-listed'], 'x\n')
      const list = JSON.parse(await kcat(['-L', '-J'])) as { brokers: { name: string }[]; topics: { topic: string }[] }
      const port = broker.bootstrapServers.split(':').at(-1)
      expect(list.brokers.map(({ name }) => name.split(':').at(-1))).toEqual([port])
      expect(list.topics.map(({ topic }) => topic)).toContain('kcat-listed')
      const [, end] = (await kcat(['-Q', '-t', 'kcat-listed:0:-1'])).trim().split(' offset ')
      expect(end).toBe('1')
    })
  })

  describe('with confluent-kafka', () => {
    beforeAll(async () => {
      const install = ['target/venv/bin/pip', 'install', '-q', '-r', 'requirements.txt']
      await made(join(FOLDER, 'python'), 'target', [['python3', '-m', 'venv', 'target/venv'], install])
    })

    test.each([...CODECS, 'group', 'admin'])('the task %s of confluent-kafka passes', async task => {
      const args = ['client.py', task, broker.bootstrapServers, `confluent-${task}`]
      const { stdout } = await run('target/venv/bin/python', args, { cwd: join(FOLDER, 'python'), ...LIMIT })
      expect(stdout).toBe('ok\n')
    })
  })

  describe('with @platformatic/kafka', () => {
    const cwd = join(FOLDER, 'platformatic')
    beforeAll(async () => {
      await made(cwd, 'node_modules', [['npm', 'ci', '--omit=optional']])
    })

    // @platformatic/kafka uses the zstd of Node's zlib, which exists since Node 22.15.
    const codecs = 'zstdCompressSync' in process.getBuiltinModule('node:zlib') ? CODECS : CODECS.slice(0, 4)
    test.each([...codecs, 'group', 'admin'])('the task %s of @platformatic/kafka passes', async task => {
      const args = ['client.js', task, broker.bootstrapServers, `platformatic-${task}`]
      const { stdout } = await run(process.execPath, args, { cwd, ...LIMIT })
      expect(stdout).toBe('ok\n')
    })
  })
})
