/**
 * The code blocks of the README are the files of `examples/`, and its command lines start brokers. `npm run examples`
 * runs the examples of vitest and node:test; the install matrix in test/interop/package runs all of them.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { afterEach, describe, expect, it } from 'vitest'
import { ROOT, Run } from './cli/minikafka.ts'

const README = readFileSync(join(ROOT, 'README.md'), 'utf8')

/** A block of the README: its language, the file that its first line names, and its text. */
const BLOCKS = Array.from(README.matchAll(/^```(\w*) ?(\S*)\n([\s\S]*?)^```$/gm), ([, language, file, text]) => ({
  language,
  file,
  text
}))

const COMMAND_LINES = BLOCKS.filter(({ language }) => language === 'sh')
  .flatMap(({ text = '' }) => Array.from(text.matchAll(/^npx minikafka\b([^#\n]*)/gm), ([, line = '']) => line))
  .map(line => line.trim().split(/\s+/).filter(Boolean))

const children: ChildProcess[] = []
afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL')
})

function example(name: string): string {
  return readFileSync(join(ROOT, 'examples', name), 'utf8')
}

function run(code: string): ChildProcess {
  const child = spawn(process.execPath, ['--input-type=module', '-e', code], {
    cwd: ROOT,
    stdio: ['ignore', 'pipe', 'inherit'],
    // kafkajs writes no log lines to stdout.
    env: { ...process.env, KAFKAJS_LOG_LEVEL: 'NOTHING' }
  })
  children.push(child)
  return child
}

/** The first lines of output; fewer if the process ends early. */
async function lines(child: ChildProcess, count: number): Promise<string[]> {
  const found: string[] = []
  if (!child.stdout) return found
  for await (const line of createInterface(child.stdout)) {
    found.push(line)
    if (found.length === count) break
  }
  return found
}

describe('a block of code in the README', () => {
  it.each(BLOCKS.filter(({ file }) => file !== ''))(
    'a block of code in the README equals the file $file',
    ({ file = '', text }) => {
      expect(text).toBe(readFileSync(join(ROOT, file), 'utf8'))
    }
  )

  it('a block of code in the README names its file, unless it contains command lines', () => {
    expect(BLOCKS.filter(({ language, file }) => language !== 'sh' && file === '')).toEqual([])
  })
})

describe('a command line in the README', () => {
  it.each(COMMAND_LINES.map(args => [args.join(' '), args] as const))(
    'a command line in the README starts a broker: minikafka %s',
    async (_, args) => {
      const files = args.map(arg => (arg.endsWith('.ndjson') ? join(ROOT, 'examples', arg) : arg))
      const broker = new Run([...files, '--port', '0', '--in-memory', '--json'])
      children.push(broker.child)
      expect(await broker.ready()).toMatchObject({ bootstrapServers: expect.stringMatching(/^localhost:\d+$/) })
      expect(await broker.stop()).toBe(0)
    }
  )
})

describe('an example', () => {
  it('an example produces and consumes with kafkajs', async () => {
    const broker = new Run(['start', '--port', '0', '--json', '--in-memory'])
    children.push(broker.child)
    const { bootstrapServers } = await broker.ready()
    const hello = example('hello.mjs')
    expect(hello).toContain("'localhost:9092'")
    const reader = run(hello.replace('localhost:9092', bootstrapServers))
    expect(await lines(reader, 2)).toEqual(['0: en = hello', '1: fr = bonjour'])
  })

  it('an example adds the codecs that kafkajs lacks', async () => {
    const roundTrips = `
      for (const type of [CompressionTypes.Snappy, CompressionTypes.LZ4, CompressionTypes.ZSTD]) {
        const { compress, decompress } = CompressionCodecs[type]()
        console.log(String(await decompress(await compress({ buffer: Buffer.from('a'.repeat(1000)) }))).length)
      }`
    expect(await lines(run(example('codecs.mjs') + roundTrips), 4)).toEqual(['1000', '1000', '1000'])
  })

  it('an example starts a broker with topics and records, stops it, and exits', async () => {
    const child = run(example('fixture.mjs'))
    const [output, [exitCode]] = await Promise.all([lines(child, 100), once(child, 'exit')])
    expect(output.join('\n')).toContain("topics: [ 'orders', 'users' ]")
    expect(output.filter(line => line.includes("high: '1'"))).toHaveLength(1)
    expect(exitCode).toBe(0)
  })
})
