/** `minikafka dump-log` as a child process. */
import { appendFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { buildBatch } from '../../../src/protocol/records/builder.ts'
import { ABORT_MARKER, TRANSACTIONAL } from '../../protocol/records/vectors.ts'
import { Run } from '../minikafka.ts'

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

it('dump-log shows files and folders, and reports unreadable ones on stderr', async () => {
  const path = join(folder, LOG)
  const { code, stdout, stderr } = await dumped('--files', path, '--print-data-log')
  expect(code).toBe(0)
  expect(stdout).toMatch(
    /^Dumping .*\nLog starting offset: 0\nbaseOffset: 0 [^\n]*\n\| offset: 0 [^\n]* key: k payload: v\n/
  )
  expect(stderr).toBe(`Non-consecutive offsets in ${path}\n  1 is followed by 15\n`)
  expect(await dumped(folder, '--print-data-log')).toEqual({ code, stdout, stderr })
})

it('dump-log accepts files in several arguments', async () => {
  const path = join(folder, LOG)
  const { stdout } = await dumped('--files', path, path, '--files', `${path},${path}`)
  expect(stdout.match(/^Dumping /gm)).toHaveLength(4)
})

it('dump-log accepts a decoder with or without its class, and every decoder of Kafka', async () => {
  const path = join(folder, LOG)
  const { stdout } = await dumped('--files', path, '--key-decoder-class', '--skip-record-metadata')
  expect(stdout).toContain('| key: k payload: v\n')
  const hex = 'org.apache.kafka.tools.api.DefaultDecoder'
  expect((await dumped('--files', path, '--value-decoder-class', hex)).stdout).toContain('key: k payload: 76\n')
})

it('dump-log writes JSON, without colours if stdout is no terminal', async () => {
  const { stdout } = await dumped(folder, '--json', '--from-offset', '2')
  const [, , batch] = stdout.split('\n')
  expect(JSON.parse(batch ?? '')).toMatchObject({ kind: 'batch', baseOffset: 15, isControl: true })
})

it('dump-log exits with 1 when a file cannot be read or the verification finds a fault', async () => {
  const missing = join(folder, 'missing')
  const stderr = `${missing}: the file or folder does not exist\n`
  expect(await dumped(missing)).toMatchObject({ code: 1, stderr })
  expect(await dumped(missing, '--verify')).toMatchObject({ code: 1, stdout: expect.stringContaining(stderr) })
  const without = { code: 1, stdout: expect.stringMatching(/aborted at offset 15, is missing in .*\.txnindex\n/) }
  expect(await dumped(folder, '--verify')).toMatchObject(without)
  const sound = join(folder, 'sound-0')
  mkdirSync(sound)
  writeFileSync(join(sound, LOG), TRANSACTIONAL)
  expect(await dumped(sound, '--verify')).toMatchObject({ code: 0, stdout: '1 files verified, no problems found\n' })
  rmSync(sound, { recursive: true })
})

it('dump-log shows transactions as text and as JSON, and decodes __transaction_state', async () => {
  const transaction =
    'producerId: 1000 producerEpoch: 1 firstOffset: OptionalLong[0] lastOffset: 15 records: 2 result: ABORT'
  expect((await dumped(folder, '--transactions')).stdout).toContain(`Transactions in ${folder}\n${transaction} `)
  expect((await dumped(folder, '--transactions', '--json')).stdout).toContain('"records":2,"result":"ABORT",')
  expect((await dumped(folder, '--transaction-log-decoder')).stdout).toContain('key: Error at offset 0, skipping. ')
})

it.each(['SIGINT', 'SIGHUP'] as const)(
  'dump-log --follow shows appended batches until %s, with exit code 0',
  async signal => {
    const followed = join(folder, 'followed')
    mkdirSync(followed)
    const path = join(followed, LOG)
    writeFileSync(path, TRANSACTIONAL)
    const run = new Run(['dump-log', followed, '--follow', '--json'])
    await run.written('stdout', /"baseOffset":0,.*\n/)
    appendFileSync(path, ABORT_MARKER.subarray(0, 40))
    appendFileSync(path, ABORT_MARKER.subarray(40))
    await run.written('stdout', /"baseOffset":15,.*\n/)
    const value = Buffer.from('v')
    const rolled = buildBatch([{ timestamp: 1n, key: null, value }], { baseOffset: 16n }).bytes
    writeFileSync(join(followed, '00000000000000000016.log'), rolled)
    await run.written('stdout', /"startingOffset":16.*\n.*"baseOffset":16,.*\n/)
    expect(await run.stop(signal)).toBe(0)
    expect(run.stderr).toBe('')
    rmSync(followed, { recursive: true })
  }
)

it('dump-log --follow of a missing path reports it and exits with 1', async () => {
  const missing = join(folder, 'missing')
  expect(await dumped(missing, '--follow')).toMatchObject({
    code: 1,
    stderr: `${missing}: the file or folder does not exist\n`
  })
})

it('dump-log reports an unreadable file in one sentence and continues', async () => {
  const odd = join(folder, 'odd')
  mkdirSync(join(odd, '00000000000000000000.index'), { recursive: true })
  mkdirSync(join(odd, LOG), { recursive: true })
  const { code, stderr, stdout } = await dumped('--files', `${join(odd, LOG)},${join(folder, LOG)}`)
  expect(code).toBe(1)
  expect(stderr).toMatch(/EISDIR/)
  expect(stderr.trim().split('\n')).toHaveLength(1)
  expect(stdout).toContain('baseOffset: 15 ')
  rmSync(odd, { recursive: true })
})

it('dump-log exits quietly when the reader of its output closes the pipe', async () => {
  const run = new Run(['dump-log', '--follow', folder])
  run.child.stdout?.destroy()
  expect(await run.ended()).toBe(0)
  expect(run.stderr).toBe('')
})

it.each([
  [[], /^minikafka: dump-log requires a folder/],
  [['x', '--follow', '--verify'], /'--follow' cannot be used with option '--verify'/],
  [['--files'], /argument missing/],
  [['x', '--max-bytes', 'many'], /A size must be a number of bytes/],
  [['x', '--from-offset', '-1'], /It must be a whole number from 0/],
  [['x', '--value-decoder-class', 'com.example.Mine'], /the decoder class com\.example\.Mine is unknown/]
] as const)('dump-log refuses %j in one sentence', async (args, message) => {
  const { code, stderr } = await dumped(...args)
  expect(code).toBe(2)
  expect(stderr).toMatch(message)
  expect(stderr.trim().split('\n')).toHaveLength(1)
})
