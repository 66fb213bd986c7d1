/** The fixture and the lifetime of its process: exits, missing stops, temporary directories. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { text } from 'node:stream/consumers'
import { Kafka, logLevel } from 'kafkajs'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { MiniKafka } from '../../src/index.ts'
import { ROOT } from '../cli/minikafka.ts'

let temp: string
const children: ChildProcess[] = []
beforeEach(() => {
  temp = mkdtempSync(join(tmpdir(), 'process-'))
})
afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL')
  rmSync(temp, { recursive: true })
})

/** A process whose temporary files are in `temp`. */
function run(code: string) {
  const child = spawn(
    process.execPath,
    ['--input-type=module', '-e', `import { MiniKafka } from 'minikafka'\n${code}`],
    {
      cwd: ROOT,
      stdio: ['pipe', 'pipe', 'pipe'],
      env: { ...process.env, TMPDIR: temp, KAFKAJS_LOG_LEVEL: 'NOTHING' }
    }
  )
  children.push(child)
  const ended = Promise.all([once(child, 'close'), text(child.stdout), text(child.stderr)])
  return {
    child,
    /** Resolves when the process has ended. */
    async end() {
      const [[code], stdout, stderr] = await ended
      return { code, stdout, stderr }
    }
  }
}

const CLIENTS = `
  import { Kafka } from 'kafkajs'
  import { connect } from 'node:net'
  import { once } from 'node:events'
  const useClients = async kafka => {
    const client = new Kafka(kafka.clientConfig('kafkajs'))
    const producer = client.producer()
    await producer.connect()
    await producer.send({ topic: 'orders', messages: [{ value: 'coffee' }] })
    await producer.disconnect()
    // A connection that only the broker could keep open.
    const silent = connect({ port: Number(kafka.bootstrapServers.split(':')[1]), host: '127.0.0.1' })
    await once(silent, 'connect')
    silent.unref()
  }`

it.each(['', `dataDir: 'temp',`])(
  'a forgotten stop does not keep the process alive, with options { %s }',
  async dataDir => {
    const { end } = run(`${CLIENTS}
      const kafka = await MiniKafka.start({ ${dataDir} topics: ['orders'], config: { 'log.flush.interval.messages': 1 } })
      await useClients(kafka)
      process.on('exit', () => console.log(kafka.dataDir?.startsWith(${JSON.stringify(temp)})))`)
    expect(await end()).toEqual({ code: 0, stdout: dataDir === '' ? 'undefined\n' : 'true\n', stderr: '' })
    expect(readdirSync(temp)).toEqual([])
  }
)

it('start and stop keep the process alive until they have finished', async () => {
  const { end } = run(`
    const kafka = await MiniKafka.start({ topics: ['orders'], dataDir: 'temp' })
    const { connect } = await import('node:net')
    const silent = connect({ port: Number(kafka.bootstrapServers.split(':')[1]), host: '127.0.0.1', allowHalfOpen: true })
    await (await import('node:events')).once(silent, 'connect')
    silent.unref()
    await kafka.stop()
    console.log('stopped')`)
  const { code, stdout, stderr } = await end()
  expect([code, stdout]).toEqual([0, 'stopped\n'])
  expect(stderr).toContain('MiniKafkaWarning: a client that has sent no request is still connected')
})

it('unref: false keeps the process alive until the stop', async () => {
  const { child, end } = run(`
    const kafka = await MiniKafka.start({ topics: ['orders'], unref: false })
    process.stdin.on('data', () => kafka.stop()).unref()
    // Node calls this when nothing keeps the process alive.
    process.on('beforeExit', () => console.log('idle'))
    console.log(kafka.bootstrapServers)`)
  const [bootstrapServers] = await once(child.stdout ?? child, 'data')
  const admin = new Kafka({ brokers: [String(bootstrapServers).trim()], logLevel: logLevel.NOTHING }).admin()
  await admin.connect()
  expect(await admin.listTopics()).toEqual(['orders'])
  await admin.disconnect()
  child.stdin?.end('stop')
  expect(await end()).toEqual({ code: 0, stdout: `${bootstrapServers}idle\n`, stderr: '' })
})

it('a directory of the user stays, and a temporary one goes at stop, after a failed start and at process.exit', async () => {
  const { end } = run(`
    import { readdirSync } from 'node:fs'
    const dataDir = ${JSON.stringify(join(temp, 'kept'))}
    const kept = await MiniKafka.start({ dataDir, topics: ['orders'] })
    const temps = [await MiniKafka.start({ dataDir: 'temp' }), await MiniKafka.start({ dataDir: 'temp' })]
    const port = Number(kept.bootstrapServers.split(':')[1])
    await MiniKafka.start({ dataDir: 'temp', port }).catch(({ name }) => console.log(name))
    console.log(kept.dataDir === dataDir, readdirSync(${JSON.stringify(temp)}).length)
    await kept.stop()
    await temps[0].stop()
    console.log(readdirSync(${JSON.stringify(temp)}).length)
    process.exit(3)`)
  expect(await end()).toEqual({ code: 3, stdout: 'ListenError\ntrue 3\n2\n', stderr: '' })
  expect(readdirSync(temp)).toEqual(['kept'])
})

it('the next temporary directory removes those of processes that were killed, and no other', async () => {
  const start = `console.log((await MiniKafka.start({ dataDir: 'temp', unref: false })).dataDir)`
  const [killed, running] = [run(start), run(start)]
  await Promise.all([killed, running].map(({ child }) => once(child.stdout ?? child, 'data')))
  killed.child.kill('SIGKILL')
  await killed.end()
  mkdirSync(join(temp, 'minikafka-temp-starts'))
  expect(readdirSync(temp)).toHaveLength(3)
  const { stdout } = await run(`
    const kafka = await MiniKafka.start({ dataDir: 'temp' })
    console.log((await import('node:fs')).readdirSync(${JSON.stringify(temp)}).length)
    await kafka.stop()`).end()
  expect(stdout).toBe('3\n')
  running.child.kill('SIGKILL')
  expect(readdirSync(temp)).toEqual([basename((await running.end()).stdout.trim()), 'minikafka-temp-starts'].sort())
})

it('a temporary directory that cannot be made is one sentence', async () => {
  const { end } = run(`
    process.env.TMPDIR = '/no/such'
    await MiniKafka.start({ dataDir: 'temp' }).catch(({ name, message }) => console.log(name + ': ' + message))`)
  const message =
    '/no/such cannot hold a temporary data directory (ENOENT): set TMPDIR to a directory that this user may write to.'
  expect(await end()).toEqual({ code: 0, stdout: `DataDirectoryError: ${message}\n`, stderr: '' })
})

it('dataDir is undefined in memory and an absolute path otherwise, after the stop too', async () => {
  const memory = await MiniKafka.start()
  expect(memory.dataDir).toBeUndefined()
  await memory.stop()
  const kafka = await MiniKafka.start({ dataDir: 'temp' })
  const { dataDir = '' } = kafka
  expect(existsSync(join(dataDir, 'meta.properties'))).toBe(true)
  await kafka.stop()
  expect([kafka.dataDir, existsSync(dataDir)]).toEqual([dataDir, false])
})

it('many brokers with temporary directories add one exit listener', async () => {
  const before = process.listenerCount('exit')
  const kafkas = await Promise.all(Array.from({ length: 12 }, () => MiniKafka.start({ dataDir: 'temp' })))
  expect(process.listenerCount('exit')).toBe(before + 1)
  for (const kafka of kafkas) await kafka.stop()
  expect(process.listenerCount('exit')).toBe(before)
})
