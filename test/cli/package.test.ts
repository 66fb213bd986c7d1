/** The package in a project that installed it. */
import { execFileSync, spawnSync } from 'node:child_process'
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { transform } from 'esbuild'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import manifest from '../../package.json' with { type: 'json' }
import entries from '../../scripts/entries.json' with { type: 'json' }
import { ROOT } from './minikafka.ts'

let directory: string

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'minikafka-'))
})
afterEach(() => rmSync(directory, { recursive: true }))

/** A project with the package installed. */
function project(files: Record<string, string>, type: 'module' | 'commonjs' = 'module'): string {
  mkdirSync(join(directory, 'node_modules'))
  symlinkSync(ROOT, join(directory, 'node_modules/minikafka'))
  writeFileSync(join(directory, 'package.json'), JSON.stringify({ type }))
  for (const [name, text] of Object.entries(files)) writeFileSync(join(directory, name), text)
  return directory
}

function run(cwd: string, script: string): string {
  return execFileSync(process.execPath, [script], { cwd, encoding: 'utf8' })
}

describe('the entry points', () => {
  it('each entry point of scripts/entries.json has an ES module, a CommonJS module and declarations', () => {
    const specifiers = Object.keys(entries).map(entry => [
      entry === 'index' ? '.' : `./${entry}`,
      { import: `./dist/${entry}.js`, require: `./dist/${entry}.cjs` }
    ])
    expect(manifest.exports).toEqual({ ...Object.fromEntries(specifiers), './package.json': './package.json' })
    const files = Object.keys(entries).flatMap(entry => ['.js', '.cjs', '.d.ts', '.d.cts'].map(end => entry + end))
    expect(readdirSync(join(ROOT, 'dist'), { recursive: true })).toEqual(expect.arrayContaining(files))
  })

  it('import and require of an entry point give the same classes', () => {
    const script = `
      import { createRequire } from 'node:module'
      import * as imported from 'minikafka'
      const required = createRequire(import.meta.url)('minikafka')
      const kafka = await imported.MiniKafka.start()
      await kafka.stop()
      const same = Object.keys(required).filter(name => required[name] === imported[name])
      console.log(JSON.stringify([Object.keys(imported), same, kafka instanceof required.MiniKafka]))`
    const [imported, same, isInstance] = JSON.parse(run(project({ 'main.js': script }), 'main.js'))
    expect(imported).toContain('MiniKafka')
    expect(same.sort()).toEqual(imported.sort())
    expect(isInstance).toBe(true)
  })

  it('stack traces and console.log name the class MiniKafka', () => {
    const script = `
      const { MiniKafka } = require('minikafka')
      console.log(MiniKafka)
      MiniKafka.start({ config: { 'no.such.setting': 1 } }).catch(error => console.log(error.stack))`
    const output = run(project({ 'main.js': script }, 'commonjs'), 'main.js')
    expect(output).toMatch(/^\[class MiniKafka\]$/m)
    expect(output).toMatch(/^ +at MiniKafka\.start /m)
    expect(output).not.toContain('_MiniKafka')
  })
})

it('a stack trace with source maps leads to calls in src', () => {
  const script = `
    process.setSourceMapsEnabled(true)
    const { MiniKafka } = require('minikafka')
    MiniKafka.start({ config: { 'no.such.setting': 1 } }).catch(error => console.log(error.stack))`
  const stack = run(project({ 'main.js': script }, 'commonjs'), 'main.js')
  const calls = Array.from(stack.matchAll(/\((\S+\/src\/\S+\.ts):(\d+):(\d+)\)$/gm), ([, file = '', line, column]) =>
    readFileSync(file, 'utf8')
      .split('\n')
      [Number(line) - 1]?.slice(Number(column) - 1)
  )
  expect(calls.length).toBeGreaterThan(1)
  for (const call of calls) expect(call).toMatch(/^(new )?\w+\(/)
})

describe('the package', () => {
  it('leaves no handle of a stopped broker that keeps the process alive, even with a connected client', () => {
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
    expect(run(cwd, 'main.js')).toBe('[]\n')
  })

  it('runs a broker in memory without writing a file', () => {
    const script = `
      import { MiniKafka } from 'minikafka'
      const kafkas = await Promise.all([MiniKafka.start({ topics: ['orders'] }), MiniKafka.start({ topics: ['orders'] })])
      for (const kafka of kafkas) await kafka.stop()`
    const cwd = project({ 'main.js': script })
    const before = readdirSync(cwd)
    run(cwd, 'main.js')
    expect(readdirSync(cwd)).toEqual(before)
  })

  it.each(['module', 'commonjs'] as const)(
    'has types that compile in a strict project of type %s without other types',
    type => {
      const code = `
      import { type Finding, LeakError, type Logger, MiniKafka, type MiniKafkaOptions, type TopicOptions } from 'minikafka'
      const topic: TopicOptions = { name: 'payments', partitions: 2, config: { 'cleanup.policy': 'compact' } }
      const options: MiniKafkaOptions = { topics: ['orders', topic], config: { 'num.partitions': 3, 'log.retention.ms': 1n } }
      export async function use(logger: Logger): Promise<string> {
        await using kafka = await MiniKafka.start({ ...options, logger })
        kafka.failed.catch(() => {})
        // @ts-expect-error a port is a number
        await MiniKafka.start({ port: '9092' })
        const records = [{ topic: 'orders', key: new Uint8Array(1), value: null, headers: { a: ['x', null] }, timestamp: new Date() }]
        const seeded = await MiniKafka.start({ dataDir: 'temp', unref: false, records: [...records, { transactionalId: 't', result: 'open', records }] })
        const brokers: string[] = seeded.clientConfig('kafkajs').brokers
        const dataDir: string | undefined = seeded.dataDir
        // @ts-expect-error no such library
        seeded.clientConfig('kafka')
        await seeded.stop({ failOn: 'leak' }).catch((error: unknown) => {
          const findings: readonly Finding[] = error instanceof LeakError ? error.findings : []
          return [brokers, dataDir, findings]
        })
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
      const cwd = project(
        { 'main.ts': code, 'tsconfig.json': JSON.stringify({ compilerOptions, files: ['main.ts'] }) },
        type
      )
      expect(() =>
        execFileSync(process.execPath, [join(ROOT, 'node_modules/typescript/bin/tsc')], { cwd })
      ).not.toThrow()
    }
  )
})

describe('unsupported Node versions, and a clone without a build', () => {
  /** A copy of the package that requires a future Node or has no `dist`. */
  function copy(parts: readonly string[], node: string): string {
    for (const part of parts) cpSync(join(ROOT, part), join(directory, part), { recursive: true })
    writeFileSync(join(directory, 'package.json'), JSON.stringify({ ...manifest, engines: { node } }))
    return directory
  }

  const tooOld = `minikafka needs Node.js 9999.1 or newer; this is Node.js ${process.versions.node}`

  it('the executable gives one sentence and exit code 2 on an old Node and in a clone without a build', () => {
    const old = spawnSync(process.execPath, ['bin/minikafka.js'], {
      cwd: copy(['bin', 'dist'], '>=9999.1'),
      encoding: 'utf8'
    })
    expect(old).toMatchObject({ status: 2, stdout: '', stderr: `${tooOld}\n` })
    const cwd = copy(['bin'], manifest.engines.node)
    rmSync(join(cwd, 'dist'), { recursive: true })
    const unbuilt = spawnSync(process.execPath, ['bin/minikafka.js'], { cwd, encoding: 'utf8' })
    const sentence = `minikafka is not built: run \`npm run build\` in ${realpathSync(cwd)}\n`
    expect(unbuilt).toMatchObject({ status: 2, stdout: '', stderr: sentence })
  })

  it('each entry point throws an Error with one sentence on an old Node', () => {
    copy(['bin', 'dist'], '>=9999.1')
    // The ES module of an adapter imports its test runner.
    symlinkSync(join(ROOT, 'node_modules'), join(directory, 'node_modules'))
    for (const entry of Object.keys(entries)) {
      const load = {
        'main.cjs': `async () => require('./dist/${entry}.cjs')`,
        'main.mjs': `() => import('./dist/${entry}.js')`
      }
      for (const [script, loading] of Object.entries(load)) {
        writeFileSync(join(directory, script), `void (${loading})().catch(error => console.log(error.message))`)
        // Node 20 reports an error of a CommonJS module that an ES module imports a second time as uncaught.
        expect(spawnSync(process.execPath, [script], { cwd: directory, encoding: 'utf8' }).stdout).toBe(`${tooOld}\n`)
      }
    }
  })

  it.each(readdirSync(join(ROOT, 'bin')).filter(name => name.endsWith('.js')))(
    'an old Node can parse bin/%s, which is ES5',
    async name => {
      await transform(readFileSync(join(ROOT, 'bin', name), 'utf8'), { target: 'es5' })
    }
  )
})
