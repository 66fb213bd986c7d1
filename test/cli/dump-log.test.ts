/** `minikafka dump-log` as users call it. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { ABORT_MARKER, TRANSACTIONAL } from '../protocol/records/vectors.ts'
import { Run } from './minikafka.ts'

const LOG = '00000000000000000000.log'
let folder: string

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'minikafka-dump-'))
  writeFileSync(join(folder, LOG), Buffer.concat([TRANSACTIONAL, ABORT_MARKER]))
})

afterAll(() => rmSync(folder, { recursive: true }))

async function dumped(...args: readonly string[]) {
  const run = new Run(['dump-log', ...args])
  const code = await run.ended()
  return { code, stdout: run.stdout, stderr: run.stderr }
}

it('shows files and folders, and what does not fit on stderr', async () => {
  const path = join(folder, LOG)
  const { code, stdout, stderr } = await dumped('--files', path, '--print-data-log')
  expect(code).toBe(0)
  expect(stdout).toMatch(
    /^Dumping .*\nLog starting offset: 0\nbaseOffset: 0 [^\n]*\n\| offset: 0 [^\n]* key: k payload: v\n/
  )
  expect(stderr).toBe(`Non-consecutive offsets in ${path}\n  1 is followed by 15\n`)
  expect(await dumped(folder, '--print-data-log')).toEqual({ code, stdout, stderr })
})

it('takes a decoder with or without its class, and every decoder of Kafka', async () => {
  const path = join(folder, LOG)
  const { stdout } = await dumped('--files', path, '--key-decoder-class', '--skip-record-metadata')
  expect(stdout).toContain('| key: k payload: v\n')
  const hex = 'org.apache.kafka.tools.api.DefaultDecoder'
  expect((await dumped('--files', path, '--value-decoder-class', hex)).stdout).toContain('key: k payload: 76\n')
})

it('writes JSON, without colours where no terminal reads', async () => {
  const { stdout } = await dumped(folder, '--json', '--from-offset', '2')
  const [, , batch] = stdout.split('\n')
  expect(JSON.parse(batch ?? '')).toMatchObject({ kind: 'batch', baseOffset: 15, isControl: true })
})

it('ends with 1 when files cannot be read, or verifying finds something', async () => {
  const missing = join(folder, 'missing')
  const stderr = `${missing}: there is no such file or folder\n`
  expect(await dumped(missing)).toMatchObject({ code: 1, stderr })
  expect(await dumped(missing, '--verify')).toMatchObject({ code: 1, stdout: expect.stringContaining(stderr) })
  expect(await dumped(folder, '--verify')).toMatchObject({ code: 0, stdout: '1 files verified, no problems found\n' })
})

it.each([
  [[], /^minikafka: dump-log needs files/],
  [['--files'], /argument missing/],
  [['x', '--max-bytes', 'many'], /A size is a number of bytes/],
  [['x', '--from-offset', '-1'], /It is a number from 0 on/],
  [['x', '--value-decoder-class', 'com.example.Mine'], /com\.example\.Mine: there is no such decoder/]
] as const)('refuses %j in a sentence', async (args, message) => {
  const { code, stderr } = await dumped(...args)
  expect(code).toBe(2)
  expect(stderr).toMatch(message)
  expect(stderr.trim().split('\n')).toHaveLength(1)
})
