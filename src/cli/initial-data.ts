/** The options --topic and --records of `start`: topics and records to create before the broker serves clients. */
import { createReadStream } from 'node:fs'
import { addAbortSignal, type Readable } from 'node:stream'
import { ConfigError } from '../config/sources.ts'
import { codeOf } from '../runtime/error-code.ts'
import { verifyOptions } from '../testing/option-check.ts'
import { RECORD_LINE, TOPIC } from '../testing/option-shapes.ts'
import type { RecordOptions, TopicOptions, TransactionOptions } from '../testing/options.ts'
import type { InitialData, SourcedElement } from '../testing/seeding.ts'

/** The largest line that is read. A longer line is refused; the file most likely is not a file of records. */
const LONGEST_LINE_BYTES = 16_777_216
const NEWLINE = 0x0a
const UTF8 = new TextDecoder('utf-8', { fatal: true })
const STDIN = '-'
const TOPIC_FORM = 'write it as name[:partitions[:replicas]][:key=value...], as in orders:3:cleanup.policy=compact'
const LINE_FORM = 'write one object on each line, as in {"topic":"orders","key":"k","value":"v"}'

/** Parses the initial data of the command line. `signal` stops the reading of records. Throws ConfigError. */
export async function initialData(
  { topic = [], records }: { readonly topic?: readonly string[]; readonly records?: string },
  signal: AbortSignal
): Promise<InitialData> {
  const topics = topic.map(topicOf)
  if (records === undefined) return { source: '--topic', topics, records: [] }
  if (records === '') throw new ConfigError('--records requires the name of a file, or - for stdin')
  const stream = records === STDIN ? process.stdin : await opened(records)
  addAbortSignal(signal, stream)
  return { source: '--topic', topics, records: elementsOf(stream, records === STDIN ? 'stdin' : records) }
}

/**
 * Parses a topic such as `orders:3:1:retention.ms=1000:cleanup.policy=compact`. Names of topics have no colon. A part that
 * begins with the name of a setting (lower-case letters and dots) and `=` begins the next setting. Other parts belong to the
 * value before them, including the colon. Throws ConfigError.
 */
export function topicOf(text: string): TopicOptions {
  const [name = '', ...parts] = text.split(':')
  const counts: number[] = []
  while (counts.length < 2 && /^\d+$/.test(parts[0] ?? '')) counts.push(Number(parts.shift()))
  const config: [name: string, value: string][] = []
  for (const part of parts) {
    const [, setting, value = ''] = /^([a-z][a-z.]*)=(.*)$/s.exec(part) ?? []
    const last = config.at(-1)
    if (setting !== undefined) {
      if (config.some(([earlier]) => earlier === setting)) {
        throw new ConfigError(`--topic ${JSON.stringify(text)}: ${setting} is given twice`)
      }
      config.push([setting, value])
    } else if (last !== undefined) last[1] += `:${part}`
    else throw new ConfigError(`--topic ${JSON.stringify(text)}: ${TOPIC_FORM}`)
  }
  const [partitions, replicationFactor] = counts
  const topic = { name, partitions, replicationFactor, config: Object.fromEntries(config) }
  return verifyOptions(`--topic ${JSON.stringify(text)}`, TOPIC, topic)
}

async function opened(file: string): Promise<Readable> {
  const stream = createReadStream(file)
  await new Promise<void>((resolve, reject) => {
    stream.once('open', () => resolve()).once('error', error => reject(unreadable(file, error)))
  })
  return stream
}

function unreadable(file: string, error: unknown): ConfigError {
  const code = codeOf(error)
  if (code === 'ENOENT') return new ConfigError(`--records ${file}: the file does not exist`)
  if (code === 'EISDIR') return new ConfigError(`--records ${file}: the path is a directory, but must be a file`)
  return new ConfigError(`--records ${file}: the file cannot be read (${code || error})`)
}

/** Reads and validates the elements of a stream of lines. Skips blank lines. Throws ConfigError with the line number. */
export async function* elementsOf(stream: AsyncIterable<Buffer>, file: string): AsyncGenerator<SourcedElement> {
  let number = 0
  try {
    for await (const line of linesOf(stream, () => `${file} line ${number + 1}`)) {
      number++
      const source = `${file} line ${number}`
      const text = decoded(line, source)
      if (text.trim() !== '') yield { element: elementOf(text, source), source }
    }
  } catch (error) {
    throw codeOf(error) === '' || codeOf(error) === 'ABORT_ERR' ? error : unreadable(file, error)
  }
}

async function* linesOf(stream: AsyncIterable<Buffer>, source: () => string): AsyncGenerator<Buffer> {
  let pending: Buffer[] = []
  let pendingBytes = 0
  for await (const chunk of stream) {
    let begin = 0
    for (let end = chunk.indexOf(NEWLINE); end >= 0; end = chunk.indexOf(NEWLINE, begin)) {
      const part = chunk.subarray(begin, end)
      yield pendingBytes === 0 ? part : Buffer.concat([...pending, part])
      pending = []
      pendingBytes = 0
      begin = end + 1
    }
    pending.push(chunk.subarray(begin))
    pendingBytes += chunk.length - begin
    if (pendingBytes > LONGEST_LINE_BYTES) {
      throw new ConfigError(`${source()} has more than ${LONGEST_LINE_BYTES} bytes: ${LINE_FORM}`)
    }
  }
  if (pendingBytes > 0) yield Buffer.concat(pending)
}

/** Decodes a line and drops a byte order mark. Throws ConfigError for a line that is not UTF-8. */
function decoded(line: Buffer, source: string): string {
  try {
    return UTF8.decode(line)
  } catch (error) {
    if (!(error instanceof TypeError)) throw error
    throw new ConfigError(`${source} is not UTF-8 text`)
  }
}

/** Parses and validates a line. The error leaves out the message of JSON.parse, which quotes the line: it may hold secrets. */
function elementOf(text: string, source: string): RecordOptions | TransactionOptions {
  let element: RecordOptions | TransactionOptions
  try {
    element = JSON.parse(text)
  } catch (error) {
    const [, position] = /at position (\d+)/.exec(String(error)) ?? []
    const column = position === undefined ? '' : `, at column ${Number(position) + 1}`
    throw new ConfigError(`${source} is not JSON${column}: ${LINE_FORM}`)
  }
  return verifyOptions(source, RECORD_LINE, element)
}
