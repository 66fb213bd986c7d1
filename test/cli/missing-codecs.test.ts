/** A start without installed binaries of codecs, as after a copy of node_modules from another platform. */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { install } from './installation.ts'
import { Run } from './minikafka.ts'

const MISSING = ['lz4-napi', 'snappy']
const MACHINE = `${process.platform}-${process.arch}`
const messageOf = (codec: string, packageName: string) =>
  `${codec} needs the package ${packageName}, which cannot be used here (npm install ${packageName}): ` +
  `its binary for ${MACHINE} is not installed`
const MESSAGES = [messageOf('snappy', 'snappy'), messageOf('lz4', 'lz4-napi')]

let directory: string
let executable: string

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'minikafka-'))
  executable = install(directory, { without: MISSING })
})
afterEach(() => rmSync(directory, { recursive: true }))

it('minikafka start logs one line for each codec whose binary is not installed', async () => {
  const run = new Run(['start', '--port', '0', '--json', '--log-level', 'warn'], {}, { executable })
  await run.written('stderr', /lz4 needs the package/)
  await run.stop('SIGTERM')
  const lines = run.stderr.trim().split('\n')
  expect(lines.map(line => JSON.parse(line).msg)).toEqual(MESSAGES)
})

it('the fixture gives its logger one line for each codec whose binary is not installed', () => {
  const script = join(directory, 'fixture.cjs')
  writeFileSync(
    script,
    `const { MiniKafka } = require('./dist/index.cjs')
    const warnings = []
    const ignore = () => {}
    const logger = { debug: ignore, info: ignore, error: ignore, child: () => logger, warn }
    const started = MiniKafka.start({ logger, unref: false })
    async function warn(_, message) {
      if (warnings.push(message) < ${MISSING.length}) return
      await (await started).stop()
      console.log(JSON.stringify(warnings))
    }`
  )
  expect(JSON.parse(execFileSync(process.execPath, [script], { encoding: 'utf8' }))).toEqual(MESSAGES)
})

it('a start with all binaries logs no warning', async () => {
  const run = new Run(['start', '--port', '0', '--json', '--log-level', 'warn'])
  await run.ready()
  await run.stop('SIGTERM')
  expect(run.stderr).toBe('')
})
