/** The package as a project has it that has installed it. */
import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { ROOT } from './minikafka.ts'

let directory: string

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'minikafka-'))
})
afterEach(() => rmSync(directory, { recursive: true }))

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
