/** The README's examples, run as they stand there. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { afterEach, expect, it } from 'vitest'
import { ROOT, Run } from './cli/minikafka.ts'

const [hello = '', codecs = '', fixture = ''] = Array.from(
  readFileSync(join(ROOT, 'README.md'), 'utf8').matchAll(/```js\n([\s\S]*?)```/g),
  ([, code]) => code
)

const children: ChildProcess[] = []
afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL')
})

function run(code: string): ChildProcess {
  const child = spawn(process.execPath, ['--input-type=module', '-e', code], {
    cwd: ROOT,
    stdio: ['ignore', 'pipe', 'inherit'],
    // What kafkajs says on stdout besides would be in the way.
    env: { ...process.env, KAFKAJS_LOG_LEVEL: 'NOTHING' }
  })
  children.push(child)
  return child
}

/** The first lines of output; fewer when it ends before. */
async function lines(child: ChildProcess, count: number): Promise<string[]> {
  const found: string[] = []
  if (!child.stdout) return found
  for await (const line of createInterface(child.stdout)) {
    found.push(line)
    if (found.length === count) break
  }
  return found
}

it('produces and consumes with kafkajs', async () => {
  const broker = new Run(['start', '--port', '0', '--json', '--in-memory'])
  children.push(broker.child)
  const { bootstrapServers } = await broker.ready()
  expect(hello).toContain("'localhost:9092'")
  const example = run(hello.replace('localhost:9092', bootstrapServers))
  expect(await lines(example, 2)).toEqual(['0: en = hello', '1: fr = bonjour'])
})

it('adds the codecs that kafkajs lacks', async () => {
  const roundTrips = `
    for (const type of [CompressionTypes.Snappy, CompressionTypes.LZ4, CompressionTypes.ZSTD]) {
      const { compress, decompress } = CompressionCodecs[type]()
      console.log(String(await decompress(await compress({ buffer: Buffer.from('a'.repeat(1000)) }))).length)
    }`
  expect(await lines(run(codecs + roundTrips), 4)).toEqual(['1000', '1000', '1000'])
})

it('starts and stops a broker in a test, and nothing keeps the process alive', async () => {
  expect(await once(run(fixture), 'exit')).toEqual([0, null])
})
