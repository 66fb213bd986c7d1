/**
 * What is built, as its users meet it: `minikafka start` with its output, signals and exit codes, and the package.
 */
import { execFileSync } from 'node:child_process'
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Kafka, logLevel } from 'kafkajs'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { encodeRequest } from '../../src/protocol/api.ts'
import { JoinGroup } from '../../src/protocol/messages/group.ts'
import { Client } from '../net/client.ts'
import { ROOT, Run } from './minikafka.ts'

let directory: string
const runs: Run[] = []

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'minikafka-'))
})
afterEach(async () => {
  for (const run of runs.splice(0)) await run.stop('SIGKILL')
  rmSync(directory, { recursive: true })
})

function minikafka(args: readonly string[], environment: Record<string, string> = {}): Run {
  const run = new Run(args, environment)
  runs.push(run)
  return run
}

const startOnDisk = (...args: string[]) =>
  minikafka(['start', '--port', '0', '--json', '--data-dir', join(directory, 'data'), ...args])
const startInMemory = (...args: string[]) => minikafka(['start', '--port', '0', '--json', '--in-memory', ...args])

const client = (bootstrapServers: string) =>
  new Kafka({ brokers: bootstrapServers.split(','), logLevel: logLevel.NOTHING, retry: { retries: 2 } })

async function partitionsOf(bootstrapServers: string, topic: string): Promise<number> {
  const admin = client(bootstrapServers).admin()
  await admin.connect()
  const { topics } = await admin.fetchTopicMetadata({ topics: [topic] })
  await admin.disconnect()
  return topics[0]?.partitions.length ?? 0
}

async function produce(bootstrapServers: string, topic: string): Promise<void> {
  const producer = client(bootstrapServers).producer()
  await producer.connect()
  await producer.send({ topic, messages: [{ value: 'x' }] })
  await producer.disconnect()
}

async function endOffsetOf(bootstrapServers: string, topic: string): Promise<number> {
  const admin = client(bootstrapServers).admin()
  await admin.connect()
  const [partition] = await admin.fetchTopicOffsets(topic)
  await admin.disconnect()
  return Number(partition?.high)
}

/** Repeats the batch that a log consists of, so that its recovery takes a while. Returns how many it has then. */
function growLog(path: string, count: number): number {
  const batch = readFileSync(path)
  const grown = Buffer.alloc(batch.length * count)
  for (let offset = 0; offset < count; offset++) {
    batch.writeBigInt64BE(BigInt(offset), 0)
    batch.copy(grown, offset * batch.length)
  }
  writeFileSync(path, grown)
  return count
}

async function createTopic(bootstrapServers: string, topic: string): Promise<void> {
  const admin = client(bootstrapServers).admin()
  await admin.connect()
  await admin.createTopics({ topics: [{ topic }] })
  await admin.disconnect()
}

describe('a broker', () => {
  it('says on stdout when it is ready, and nothing else there', async () => {
    const run = startInMemory()
    const ready = await run.ready()
    expect(ready).toEqual({
      bootstrapServers: expect.stringMatching(/^localhost:\d+$/),
      dataDir: null,
      pid: run.child.pid,
      startupMs: expect.any(Number)
    })
    await createTopic(ready.bootstrapServers, 'orders')
    await run.stop()
    expect(run.stdout.trim().split('\n')).toHaveLength(1)
  })

  it('tells people in one line where it is', async () => {
    const run = minikafka(['start', '--port', '0', '--in-memory', '--host', '127.0.0.1'])
    await run.written(
      'stdout',
      /^minikafka \d+\.\d+\.\d+ is ready on 127\.0\.0\.1:\d+ \(nothing kept on disk; \d+ ms\)\n$/
    )
  })

  it.each(['SIGINT', 'SIGTERM'] as const)('ends on %s with exit code 0 and says how long it took', async signal => {
    const run = startInMemory()
    await run.ready()
    expect(await run.stop(signal)).toBe(0)
    const lines = run.stderr
      .trim()
      .split('\n')
      .map(line => JSON.parse(line).msg)
    expect(lines.at(-2)).toBe(`stopping on ${signal}`)
    expect(lines.at(-1)).toMatch(/^stopped in \d+ ms$/)
  })

  it('finds its topics again after a stop, and leaves no lock behind', async () => {
    const first = startOnDisk()
    const { bootstrapServers, dataDir } = await first.ready()
    expect(dataDir).toBe(join(directory, 'data'))
    await createTopic(bootstrapServers, 'orders')
    expect(await first.stop()).toBe(0)
    expect(readdirSync(join(directory, 'data')).filter(name => name.includes('minikafka'))).toEqual([])
    const second = startOnDisk()
    expect(await partitionsOf((await second.ready()).bootstrapServers, 'orders')).toBe(1)
  })

  it('starts on the data of one that was killed', async () => {
    const first = startOnDisk()
    const { bootstrapServers } = await first.ready()
    await createTopic(bootstrapServers, 'orders')
    await first.stop('SIGKILL')
    const second = startOnDisk()
    expect(await partitionsOf((await second.ready()).bootstrapServers, 'orders')).toBe(1)
  })

  it('tells what its start took, and ends in the middle of a recovery when it is told to', {
    timeout: 60_000
  }, async () => {
    const first = startOnDisk()
    const { bootstrapServers } = await first.ready()
    await first.written(
      'stderr',
      /"lockMs":\d+.*"listenersMs":\d+.*"metadataMs":\d+.*"recoveryMs":\d+.*"coordinatorsMs":\d+/
    )
    await createTopic(bootstrapServers, 'orders')
    await produce(bootstrapServers, 'orders')
    await first.stop('SIGKILL')
    const batches = growLog(join(directory, 'data', 'orders-0', '00000000000000000000.log'), 1_000_000)
    const second = startOnDisk()
    await second.written('stderr', /its partitions are checked/)
    expect(await second.stop()).toBe(0)
    expect(second.stderr).toContain('stopped before the broker was ready')
    expect(second.stdout).toBe('')
    expect(readdirSync(join(directory, 'data'))).not.toContain('.kafka_cleanshutdown')
    const third = startOnDisk()
    expect(await endOffsetOf((await third.ready()).bootstrapServers, 'orders')).toBe(batches)
  })

  it('ends at once on a second signal, though a client is still connected', async () => {
    const run = startInMemory()
    const { bootstrapServers } = await run.ready()
    const stubborn = await Client.connect(Number(bootstrapServers.split(':')[1]))
    run.child.kill('SIGINT')
    await run.written('stderr', /stopping on SIGINT/)
    expect(await run.stop('SIGINT')).toBe(130)
    stubborn.socket.destroy()
  })

  it('answers requests that are parked before it ends', async () => {
    const run = startInMemory('--set', 'group.initial.rebalance.delay.ms=600000')
    const { bootstrapServers } = await run.ready()
    const member = await Client.connect(Number(bootstrapServers.split(':')[1]))
    const join = encodeRequest(
      JoinGroup,
      0,
      { correlationId: 7, clientId: 'test' },
      {
        groupId: 'group',
        sessionTimeoutMs: 10_000,
        memberId: '',
        protocolType: 'consumer',
        protocols: [{ name: 'range', metadata: Buffer.alloc(0) }]
      }
    )
    member.write(Buffer.concat(join))
    await createTopic(bootstrapServers, 'a-round-trip-later')
    run.child.kill('SIGTERM')
    expect(await member.receive()).toContain('\0\0\0\u0007')
    await member.closedByServer()
    member.socket.destroy()
    expect(await run.ended()).toBe(0)
  })
})

describe('settings', () => {
  it('come from --config, the environment and --set, later ones winning', async () => {
    const file = join(directory, 'server.properties')
    writeFileSync(file, 'num.partitions=2\nlog.retention.hours=1\nzookeeper.connect=gone\n')
    const auto = async (args: string[], environment: Record<string, string>) => {
      const run = minikafka(['start', '--port', '0', '--json', '--in-memory', ...args], environment)
      const { bootstrapServers } = await run.ready()
      await createTopic(bootstrapServers, 'orders')
      return partitionsOf(bootstrapServers, 'orders')
    }
    expect(await auto(['--config', file], {})).toBe(2)
    expect(await auto(['--config', file], { KAFKA_NUM_PARTITIONS: '3', KAFKA_HEAP_OPTS: '-Xmx1g' })).toBe(3)
    expect(await auto(['--config', file, '--set', 'num.partitions=4'], { KAFKA_NUM_PARTITIONS: '3' })).toBe(4)
  })

  it('of Kafka that have no effect here are named in one line', async () => {
    const run = startInMemory('--set', 'num.io.threads=8', '--set', 'num.network.threads=3')
    await run.ready()
    const warnings = run.stderr
      .trim()
      .split('\n')
      .filter(line => JSON.parse(line).level === 40)
    expect(warnings).toHaveLength(1)
    expect(warnings[0]).toContain('num.io.threads, num.network.threads')
  })
})

it('goes on when whoever read its output has gone', async () => {
  const run = startInMemory('--set', 'num.io.threads=8')
  run.child.stdout?.destroy()
  await run.written('stderr', /num\.io\.threads/)
  expect(await run.stop()).toBe(0)
  expect(run.stderr).toMatch(/stopped in \d+ ms/)
})

describe('what a user can get wrong is one sentence and exit code 2:', () => {
  async function refusal(run: Run): Promise<string> {
    expect(await run.ended()).toBe(2)
    expect(run.stdout).toBe('')
    expect(run.stderr).toMatch(/^minikafka: [^\n]+\n$/)
    return run.stderr
  }

  it.each([
    [['start', '--set', 'num.partitons=3'], 'did you mean num.partitions?'],
    [['start', '--set', 'num.partitions=none'], '--set: num.partitions is "none", but must be a whole number'],
    [['start', '--set', 'num.partitions=0'], 'num.partitions is "0", but must be'],
    [['start', '--set', 'num.partitions'], 'write it as name=value'],
    [['start', '--config', '/no/such/file'], '--config /no/such/file: there is no such file'],
    [['start', '--port', '65536'], 'A port is a number from 0 to 65535.'],
    [['start', '--host', '192.0.2.1', '--in-memory'], '192.0.2.1 is not an address of this machine'],
    [['start', '--log-level', 'loud'], 'Allowed choices are'],
    [['start', '--in-memory', '--data-dir', 'x'], 'cannot be used with'],
    [['start', '--prot', '1'], "unknown option '--prot'"],
    [['start', 'extra'], 'too many arguments']
  ])('minikafka %j', async (args, sentence) => {
    expect(await refusal(minikafka(args))).toContain(sentence)
  })

  it('an error in a file names file and line', async () => {
    const file = join(directory, 'server.properties')
    writeFileSync(file, '# mine\nnum.partitions=many\n')
    expect(await refusal(minikafka(['start', '--config', file]))).toContain(`${file} line 2: num.partitions is "many"`)
  })

  it('a port that is taken', async () => {
    const { bootstrapServers } = await startInMemory().ready()
    const port = bootstrapServers.split(':')[1] ?? ''
    const second = minikafka(['start', '--in-memory', '--port', port])
    expect(await refusal(second)).toContain(`Port ${port} on localhost is taken`)
  })

  it('a directory that another one uses', async () => {
    const first = startOnDisk()
    const { pid, dataDir } = await first.ready()
    expect(await refusal(startOnDisk())).toContain(`${dataDir} is in use by another minikafka (process ${pid})`)
  })

  it('a directory whose metadata is damaged', async () => {
    const run = startOnDisk()
    await run.ready()
    await run.stop()
    const snapshot = '__cluster_metadata-0/00000000000000000000-0000000000.checkpoint'
    truncateSync(join(directory, 'data', snapshot), 100)
    expect(await refusal(startOnDisk())).toContain(`${snapshot}, position 0: the file ends in the middle of a batch`)
  })

  it('a directory that is a file', async () => {
    writeFileSync(join(directory, 'data'), '')
    expect(await refusal(startOnDisk())).toContain('cannot be used as data directory: it is a file')
  })
})

it('shows help and version when asked, with exit code 0', async () => {
  const help = minikafka(['start', '--help'])
  expect(await help.ended()).toBe(0)
  for (const option of [
    '--port',
    '--host',
    '--data-dir',
    '--in-memory',
    '--config',
    '--set',
    '--log-level',
    '--json'
  ]) {
    expect(help.stdout).toContain(option)
  }
  const version = minikafka(['--version'])
  expect(await version.ended()).toBe(0)
  expect(version.stdout).toMatch(/^\d+\.\d+\.\d+\n$/)
})

describe('the package', () => {
  /** A project that has it installed. */
  function project(files: Record<string, string>): string {
    mkdirSync(join(directory, 'node_modules'))
    symlinkSync(ROOT, join(directory, 'node_modules/minikafka'))
    writeFileSync(join(directory, 'package.json'), '{"type":"module"}')
    for (const [name, text] of Object.entries(files)) writeFileSync(join(directory, name), text)
    return directory
  }

  it('leaves nothing behind that keeps a process alive, whatever its clients do', () => {
    const script = `
      import { connect } from 'node:net'
      import { once } from 'node:events'
      import { MiniKafka } from 'minikafka'
      const kafka = await MiniKafka.start({ topics: ['orders'], dataDir: 'data' })
      const silent = connect({ port: Number(kafka.bootstrapServers.split(':')[1]), allowHalfOpen: true })
      await once(silent, 'connect')
      await kafka.stop()
      silent.destroy()
      await once(silent, 'close')
      console.log(JSON.stringify(process.getActiveResourcesInfo().filter(name => name !== 'PipeWrap')))`
    const cwd = project({ 'main.js': script })
    expect(execFileSync(process.execPath, ['main.js'], { cwd, encoding: 'utf8' })).toBe('[]\n')
  })

  it('writes no file when it is in memory', () => {
    const script = `
      import { MiniKafka } from 'minikafka'
      const kafkas = await Promise.all([MiniKafka.start({ topics: ['orders'] }), MiniKafka.start({ topics: ['orders'] })])
      for (const kafka of kafkas) await kafka.stop()`
    const cwd = project({ 'main.js': script })
    const before = readdirSync(cwd)
    execFileSync(process.execPath, ['main.js'], { cwd })
    expect(readdirSync(cwd)).toEqual(before)
  })

  it('has types that hold in a strict project without any of ours', () => {
    const code = `
      import { type Logger, MiniKafka, type MiniKafkaOptions, type TopicOptions } from 'minikafka'
      const topic: TopicOptions = { name: 'payments', partitions: 2, config: { 'cleanup.policy': 'compact' } }
      const options: MiniKafkaOptions = { topics: ['orders', topic], config: { 'num.partitions': 3, 'log.retention.ms': 1n } }
      export async function use(logger: Logger): Promise<string> {
        await using kafka = await MiniKafka.start({ ...options, logger })
        kafka.failed.catch(() => {})
        // @ts-expect-error a port is a number
        await MiniKafka.start({ port: '9092' })
        return kafka.bootstrapServers
      }`
    const compilerOptions = {
      target: 'es2022',
      lib: ['es2022'],
      types: [],
      module: 'nodenext',
      strict: true,
      exactOptionalPropertyTypes: true,
      skipLibCheck: false,
      noEmit: true
    }
    const cwd = project({ 'main.ts': code, 'tsconfig.json': JSON.stringify({ compilerOptions, files: ['main.ts'] }) })
    expect(() => execFileSync(process.execPath, [join(ROOT, 'node_modules/typescript/bin/tsc')], { cwd })).not.toThrow()
  })
})
