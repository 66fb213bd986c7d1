/** `minikafka start` with --topic and --records. */
import { appendFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Kafka, logLevel } from 'kafkajs'
import { expect, it } from 'vitest'
import type { Run } from '../minikafka.ts'
import { freshTerminal } from '../terminal.ts'

const terminal = freshTerminal()

/** The end offset of each partition for read_committed. */
async function endOffsets(bootstrapServers: string, topic: string): Promise<readonly string[]> {
  const admin = new Kafka({ brokers: [bootstrapServers], logLevel: logLevel.NOTHING, retry: { retries: 0 } }).admin()
  await admin.connect()
  try {
    const offsets = await admin.fetchTopicOffsets(topic)
    return offsets.sort((a, b) => a.partition - b.partition).map(({ high }) => high)
  } finally {
    await admin.disconnect()
  }
}

function file(text: string): string {
  const path = join(terminal.directory, 'orders.ndjson')
  writeFileSync(path, text)
  return path
}

/** The last line on stderr of a run that ends with exit code 2. */
async function refusal(run: Run): Promise<string | undefined> {
  expect(await run.ended()).toBe(2)
  expect(run.stdout).toBe('')
  return run.stderr.trimEnd().split('\n').at(-1)
}

it('the ready line follows the topics and records of the command line', async () => {
  const path = file(`{"topic":"orders","key":"k","value":"v","headers":{"h":["x",null]},"partition":2,"timestamp":1}
{"transactionalId":"pay-1","records":[{"topic":"payments","value":"3"}]}

{"topic":"created","value":null}
`)
  const run = terminal.startInMemory('--topic', 'orders:3:retention.ms=-1', '--topic', 'payments', '--records', path)
  const { bootstrapServers } = await run.ready()
  expect(await endOffsets(bootstrapServers, 'orders')).toEqual(['0', '0', '1'])
  expect(await endOffsets(bootstrapServers, 'payments')).toEqual(['2'])
  expect(await endOffsets(bootstrapServers, 'created')).toEqual(['1'])
  expect(await run.stop()).toBe(0)
})

it('records come from stdin with --records -', async () => {
  const run = terminal.startInMemory('--records', '-')
  run.child.stdin?.write('{"topic":"orders","value":"1"}\n')
  run.child.stdin?.end('{"topic":"orders","value":"2"}')
  expect(await endOffsets((await run.ready()).bootstrapServers, 'orders')).toEqual(['2'])
})

it('a records file that is larger than the heap is written', async () => {
  const lines = Array.from({ length: 10_000 }, (_, index) =>
    JSON.stringify({ topic: 'orders', key: `${index}`, value: 'v'.repeat(600) })
  ).join('\n')
  const path = file('')
  for (let copy = 0; copy < 10; copy++) appendFileSync(path, `${lines}\n`)
  const environment = { NODE_OPTIONS: '--max-old-space-size=48' }
  const data = join(terminal.directory, 'data')
  const args = ['start', '--port', '0', '--json', '--data-dir', data, '--topic', 'orders:4', '--records', path]
  const run = terminal.minikafka(args, environment)
  const { bootstrapServers } = await run.ready()
  const offsets = await endOffsets(bootstrapServers, 'orders')
  expect(offsets.reduce((sum, offset) => sum + Number(offset), 0)).toBe(100_000)
})

it('initial records of an existing data directory are written once', async () => {
  const path = file('{"topic":"orders","value":"1"}\n')
  for (const round of [1, 2]) {
    const run = terminal.startOnDisk('--records', path)
    expect(await endOffsets((await run.ready()).bootstrapServers, 'orders')).toEqual(['1'])
    expect(run.stderr.includes('no records are written to topic orders')).toBe(round === 2)
    await run.stop()
  }
})

it('a wrong line ends the start with its file and number, and a corrected file is written as a whole', async () => {
  const path = file('{"topic":"orders","value":"1"}\n{"topic":"orders","partition":7}\n')
  expect(await refusal(terminal.startOnDisk('--records', path))).toBe(
    `minikafka: ${path} line 2: partition is 7, but topic orders has partition 0 alone`
  )
  file('{"topic":"orders","value":"1"}\n{"topic":"orders","value":"2"}\n')
  const run = terminal.startOnDisk('--records', path)
  expect(await endOffsets((await run.ready()).bootstrapServers, 'orders')).toEqual(['2'])
})

it.each<{ args: readonly string[]; message: string }>([
  { args: ['--records', '/no/such/file'], message: '--records /no/such/file: the file does not exist' },
  { args: ['--records', '/'], message: '--records /: the path is a directory, but must be a file' },
  {
    args: ['--topic', 'orders:x'],
    message:
      '--topic "orders:x": write it as name[:partitions[:replicas]][:key=value...], as in orders:3:cleanup.policy=compact'
  },
  {
    args: ['--topic', 'orders:1:3'],
    message:
      '--topic: topic orders cannot be created: Unable to replicate the partition 3 time(s): The target replication factor of 3 cannot be reached because only 1 broker(s) are registered or some brokers have all their log directories cordoned.'
  },
  {
    args: ['--topic', 'or/ders'],
    message: `--topic: topic or/ders cannot be created: Topic name is invalid: 'or/ders' contains one or more characters other than ASCII alphanumerics, '.', '_' and '-'`
  }
])('minikafka start with $args is refused', async ({ args, message }) => {
  expect(await refusal(terminal.startInMemory(...args))).toBe(`minikafka: ${message}`)
})

it('a signal ends a start that waits for records', async () => {
  const run = terminal.startInMemory('--records', '-', '--log-level', 'debug')
  run.child.stdin?.write('{"topic":"orders","value":"1"}\n')
  await run.written('stderr', /CreateTopics/)
  expect(await run.stop()).toBe(0)
  expect(run.stdout).toBe('')
  expect(run.stderr).toContain('stopped before the broker was ready')
})
