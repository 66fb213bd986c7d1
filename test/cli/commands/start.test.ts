/** `minikafka start` as a child process: output, signals, exit codes and settings. */
import { spawn } from 'node:child_process'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { Kafka, logLevel } from 'kafkajs'
import { describe, expect, it } from 'vitest'
import { encodeRequest } from '../../../src/protocol/api.ts'
import { JoinGroup } from '../../../src/protocol/messages/group.ts'
import { Client } from '../../net/client.ts'
import { ROOT } from '../minikafka.ts'
import { freshTerminal } from '../terminal.ts'

const terminal = freshTerminal()

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

/** Repeats the only batch of a log, so that its recovery takes long. Returns the number of batches. */
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
  it('writes its ready line and no other to stdout', async () => {
    const run = terminal.startInMemory()
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

  it('starts without a command, with the same options and settings', async () => {
    const KAFKA_LISTENERS = 'PLAINTEXT://127.0.0.1:0'
    const run = terminal.minikafka([], { KAFKA_LISTENERS, KAFKA_LOG_DIRS: join(terminal.directory, 'data') })
    await run.written('stdout', /^minikafka \S+ is ready on 127\.0\.0\.1:\d+ \(data in .*data; \d+ ms\)\n$/)
    expect((await terminal.minikafka(['--in-memory', '--port', '0', '--json']).ready()).dataDir).toBe(null)
  })

  it('writes one line for people with its address', async () => {
    const run = terminal.minikafka(['start', '--port', '0', '--in-memory', '--host', '127.0.0.1'])
    await run.written(
      'stdout',
      /^minikafka \d+\.\d+\.\d+ is ready on 127\.0\.0\.1:\d+ \(nothing kept on disk; \d+ ms\)\n$/
    )
  })

  it.each(['SIGINT', 'SIGTERM', 'SIGHUP'] as const)(
    'stops cleanly on %s with exit code 0 and logs the duration',
    async signal => {
      const run = terminal.startOnDisk()
      await run.ready()
      expect(await run.stop(signal)).toBe(0)
      expect(readdirSync(join(terminal.directory, 'data'))).toContain('.kafka_cleanshutdown')
      const lines = run.stderr
        .trim()
        .split('\n')
        .map(line => JSON.parse(line).msg)
      expect(lines.at(-2)).toBe(`stopping on ${signal}`)
      expect(lines.at(-1)).toMatch(/^stopped in \d+ ms$/)
    }
  )

  it('finds its topics after a restart, and leaves no lock behind', async () => {
    const first = terminal.startOnDisk()
    const { bootstrapServers, dataDir } = await first.ready()
    expect(dataDir).toBe(join(terminal.directory, 'data'))
    await createTopic(bootstrapServers, 'orders')
    expect(await first.stop()).toBe(0)
    expect(readdirSync(join(terminal.directory, 'data')).filter(name => name.includes('minikafka'))).toEqual([])
    const second = terminal.startOnDisk()
    expect(await partitionsOf((await second.ready()).bootstrapServers, 'orders')).toBe(1)
  })

  it('starts on the data of a killed broker', async () => {
    const first = terminal.startOnDisk()
    const { bootstrapServers } = await first.ready()
    await createTopic(bootstrapServers, 'orders')
    await first.stop('SIGKILL')
    const second = terminal.startOnDisk()
    expect(await partitionsOf((await second.ready()).bootstrapServers, 'orders')).toBe(1)
  })

  it('logs the recovery of its start, and a signal ends it during recovery', {
    timeout: 60_000
  }, async () => {
    const first = terminal.startOnDisk()
    const { bootstrapServers } = await first.ready()
    await first.written(
      'stderr',
      /"lockMs":\d+.*"listenersMs":\d+.*"metadataMs":\d+.*"recoveryMs":\d+.*"coordinatorsMs":\d+/
    )
    await createTopic(bootstrapServers, 'orders')
    await produce(bootstrapServers, 'orders')
    await first.stop('SIGKILL')
    const batches = growLog(join(terminal.directory, 'data', 'orders-0', '00000000000000000000.log'), 1_000_000)
    const second = terminal.startOnDisk()
    await second.written('stderr', /"type":"UncleanShutdownDetected"/)
    expect(await second.stop()).toBe(0)
    expect(second.stderr).toContain('stopped before the broker was ready')
    expect(second.stdout).toBe('')
    expect(readdirSync(join(terminal.directory, 'data'))).not.toContain('.kafka_cleanshutdown')
    const third = terminal.startOnDisk()
    expect(await endOffsetOf((await third.ready()).bootstrapServers, 'orders')).toBe(batches)
  })

  it('exits at once on a second signal, even with a connected client', async () => {
    const run = terminal.startInMemory()
    const { bootstrapServers } = await run.ready()
    const stubborn = await Client.connect(Number(bootstrapServers.split(':')[1]))
    run.child.kill('SIGINT')
    await run.written('stderr', /stopping on SIGINT/)
    expect(await run.stop('SIGINT')).toBe(130)
    stubborn.socket.destroy()
  })

  it('stops cleanly even if a closed terminal sends SIGHUP more than once', async () => {
    const run = terminal.startOnDisk()
    const { bootstrapServers } = await run.ready()
    const idle = await Client.connect(Number(bootstrapServers.split(':')[1]))
    run.child.kill('SIGHUP')
    await run.written('stderr', /stopping on SIGHUP/)
    const ended = run.stop('SIGHUP')
    await idle.closedByServer()
    idle.socket.destroy()
    expect(await ended).toBe(0)
    expect(readdirSync(join(terminal.directory, 'data'))).toContain('.kafka_cleanshutdown')
  })

  it('exits with the npm start that runs it, and npm start leaves no process', async () => {
    const npm = spawn('npm', ['start', '--', '--port', '0', '--in-memory', '--json'], {
      cwd: ROOT,
      // The bundle is built: npm start must not replace it during other tests.
      env: { ...process.env, MINIKAFKA_DIST: 'built' },
      stdio: ['ignore', 'pipe', 'ignore']
    })
    for await (const line of createInterface(npm.stdout)) if (line.startsWith('{')) npm.kill('SIGTERM')
    // The broker has the same stdout, which ends after both npm and the broker exited.
    expect(npm.stdout.readableEnded).toBe(true)
  })

  it('answers delayed requests before it exits', async () => {
    const run = terminal.startInMemory('--set', 'group.initial.rebalance.delay.ms=600000')
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
  it('are read from --config, the environment and --set; later ones override earlier ones', async () => {
    const file = join(terminal.directory, 'server.properties')
    writeFileSync(file, 'num.partitions=2\nlog.retention.hours=1\nzookeeper.connect=gone\n')
    const auto = async (args: string[], environment: Record<string, string>) => {
      const run = terminal.minikafka(['start', '--port', '0', '--json', '--in-memory', ...args], environment)
      const { bootstrapServers } = await run.ready()
      await createTopic(bootstrapServers, 'orders')
      return partitionsOf(bootstrapServers, 'orders')
    }
    expect(await auto(['--config', file], {})).toBe(2)
    expect(await auto(['--config', file], { KAFKA_NUM_PARTITIONS: '3', KAFKA_HEAP_OPTS: '-Xmx1g' })).toBe(3)
    expect(await auto(['--config', file, '--set', 'num.partitions=4'], { KAFKA_NUM_PARTITIONS: '3' })).toBe(4)
  })

  it('of Kafka without an effect here are listed in one line', async () => {
    const run = terminal.startInMemory('--set', 'num.io.threads=8', '--set', 'num.network.threads=3')
    await run.ready()
    const warnings = run.stderr
      .trim()
      .split('\n')
      .filter(line => JSON.parse(line).level === 40)
    expect(warnings).toHaveLength(1)
    expect(warnings[0]).toContain('num.io.threads, num.network.threads')
  })
})

it('minikafka start keeps running when the reader of its output exits', async () => {
  const run = terminal.startInMemory('--set', 'num.io.threads=8')
  run.child.stdout?.destroy()
  await run.written('stderr', /num\.io\.threads/)
  expect(await run.stop()).toBe(0)
  expect(run.stderr).toMatch(/stopped in \d+ ms/)
})

it('minikafka shows help and version on request, with exit code 0', async () => {
  const help = terminal.minikafka(['start', '--help'])
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
  const version = terminal.minikafka(['--version'])
  expect(await version.ended()).toBe(0)
  expect(version.stdout).toMatch(/^\d+\.\d+\.\d+\n$/)
})
