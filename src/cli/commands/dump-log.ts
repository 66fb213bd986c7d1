/**
 * The command `minikafka dump-log`. Output waits for a slow reader. Findings and problems go to stderr, with `--verify` to
 * stdout. A problem, such as an unreadable file, sets exit code 1, except during `--follow`.
 */
import type { Writable } from 'node:stream'
import type { WriteStream } from 'node:tty'
import { ConfigError } from '../../config/sources.ts'
import { dumpTransactions } from '../../dump/checks/transactions.ts'
import { verify } from '../../dump/checks/verify.ts'
import {
  DECODER_NAMES,
  decoderOfClass,
  plainDecoder,
  type RecordDecoder,
  type ValueDecoder
} from '../../dump/decoders.ts'
import { dump } from '../../dump/dump.ts'
import { Follower, unfollowable } from '../../dump/follow/follow.ts'
import { groupDecoder, metadataDecoder, txnDecoder } from '../../dump/formats/coordinator-decoder.ts'
import { coloured, type Item, jsonOf, type Renderer, textOf } from '../../dump/items.ts'
import type { DumpOptions } from '../../dump/options.ts'
import { codeOf } from '../../runtime/error-code.ts'
import { yieldToEventLoop } from '../../runtime/pace.ts'
import { pause, systemClocks } from '../../runtime/time.ts'
import { NodeStorage, OPEN_FILES_LIMIT } from '../../storage/node-storage.ts'
import { firstStopSignal } from '../stop-signals.ts'

/** The options as the command line has parsed them. */
export interface DumpLogOptions {
  readonly files?: string
  readonly printDataLog?: boolean
  readonly deepIteration?: boolean
  readonly skipRecordMetadata?: boolean
  readonly maxMessageSize: number
  readonly maxBytes?: number
  readonly indexSanityCheck?: boolean
  readonly verifyIndexOnly?: boolean
  /** True if the option is given without a class. */
  readonly keyDecoderClass?: string | true
  readonly valueDecoderClass?: string | true
  readonly offsetsDecoder?: boolean
  readonly transactionLogDecoder?: boolean
  readonly clusterMetadataDecoder?: boolean
  readonly json?: boolean
  readonly fromOffset?: bigint
  readonly toOffset?: bigint
  readonly key?: string
  readonly producerId?: bigint
  readonly verify?: boolean
  readonly transactions?: boolean
  readonly follow?: boolean
}

/** The value of --max-bytes that means no limit, as in DumpLogSegments. */
const NO_MAX_BYTES = 2_147_483_647
const CHUNK_CHARACTERS = 1 << 16
const ROUND_INTERVAL_MS = 200
/** The pause after a round of --follow, as a multiple of its duration. It limits the load with thousands of partitions. */
const WORK_TO_REST = 5
/** Error codes of a pipe whose reader has closed it (`| head -1`): of the first write, and of later ones. */
const READER_GONE = new Set(['EPIPE', 'ERR_STREAM_DESTROYED'])

/** Dumps the files and folders. Throws ConfigError for invalid options or a failed write of the output. */
export async function dumpLog(folders: readonly string[], options: DumpLogOptions): Promise<void> {
  const paths = [...(options.files?.split(',').map(path => path.trim()) ?? []), ...folders].filter(path => path !== '')
  if (paths.length === 0)
    throw new ConfigError('dump-log requires a folder or files: minikafka dump-log FOLDER, or --files FILES')
  const dumped = dumpOptions(options)
  const report = new Report(options)
  if (options.follow) return follow(new Follower(paths, dumped), report, paths)
  const command = options.verify ? verify : options.transactions ? dumpTransactions : dump
  await reading(storage => report.write(command(storage, paths, dumped)))
}

/** Shows appended batches in rounds, until a stop signal or until the reader closes the output. */
async function follow(follower: Follower, report: Report, paths: readonly string[]): Promise<void> {
  const problems = await reading(async files => paths.flatMap(path => unfollowable(files, path) ?? []))
  await report.write(problems)
  if (problems.length === paths.length) {
    process.exitCode = 1
    return
  }
  const stop = new AbortController()
  void firstStopSignal().then(() => stop.abort())
  while (!stop.signal.aborted) {
    const began = systemClocks.loop.now()
    // Each round opens the files again, because files may be renamed or replaced.
    const isOpen = await reading(files => report.write(follower.round(files), stop.signal))
    if (!isOpen) return
    const tookMs = systemClocks.loop.now() - began
    await pause(Math.max(ROUND_INTERVAL_MS, tookMs * WORK_TO_REST), stop.signal)
  }
}

async function reading<T>(act: (storage: NodeStorage) => Promise<T>): Promise<T> {
  const storage = new NodeStorage('', OPEN_FILES_LIMIT, 'read-only')
  try {
    return await act(storage)
  } finally {
    storage.close()
  }
}

function dumpOptions(options: DumpLogOptions): DumpOptions {
  const { fromOffset, toOffset, key, producerId, maxBytes } = options
  const decoder = decoderOf(options)
  // --key needs decoded keys: keys are compared as they are printed.
  const print = decoder !== undefined || options.printDataLog === true || key !== undefined
  return {
    print,
    deep: print || options.deepIteration === true,
    skipRecordMetadata: options.skipRecordMetadata === true,
    decoder: decoder ?? plainDecoder(standardDecoder(true), standardDecoder(true)),
    maxMessageSize: options.maxMessageSize,
    maxBytes: maxBytes === NO_MAX_BYTES ? undefined : maxBytes,
    indexSanityCheck: options.indexSanityCheck === true,
    verifyIndexOnly: options.verifyIndexOnly === true,
    filter: { fromOffset, toOffset, key, producerId }
  }
}

function decoderOf(options: DumpLogOptions): RecordDecoder | undefined {
  const { keyDecoderClass, valueDecoderClass } = options
  if (options.offsetsDecoder) return groupDecoder
  if (options.transactionLogDecoder) return txnDecoder
  if (options.clusterMetadataDecoder) return metadataDecoder
  if (keyDecoderClass === undefined && valueDecoderClass === undefined) return undefined
  return plainDecoder(standardDecoder(keyDecoderClass ?? true), standardDecoder(valueDecoderClass ?? true))
}

function standardDecoder(name: string | true): ValueDecoder {
  const className = name === true ? 'StringDecoder' : name
  const decoder = decoderOfClass(className)
  if (decoder) return decoder
  throw new ConfigError(`the decoder class ${className} is unknown; valid are ${DECODER_NAMES.join(', ')}`)
}

/** The report of a dump: findings and problems on stderr, all other items on stdout. */
class Report {
  readonly #options: DumpLogOptions
  readonly #output: Output
  readonly #errors: Output

  constructor(options: DumpLogOptions) {
    this.#options = options
    this.#output = new Output(process.stdout, options)
    this.#errors = new Output(process.stderr, options)
  }

  /** Writes the items until the signal. Returns false if the reader has closed the output. */
  async write(items: Iterable<Item>, stopped?: AbortSignal): Promise<boolean> {
    const { verify: isAsked, follow: isFollowing } = this.#options
    for (const item of items) {
      if (item.kind === 'problem' && !isFollowing) process.exitCode = 1
      // With --verify the findings and problems are the output itself.
      const isRemark = !isAsked && (item.kind === 'problem' || item.kind === 'finding')
      if (isRemark && !(await this.#output.flush())) return false
      const written = (isRemark ? this.#errors : this.#output).write(item, isRemark)
      if (written !== true && !(await written)) return false
      if (stopped?.aborted) break
    }
    return this.#output.flush()
  }
}

/** Buffered lines of a stream. */
class Output {
  readonly #stream: Writable
  readonly #render: Renderer
  #text = ''

  constructor(stream: WriteStream, { json }: DumpLogOptions) {
    const render = json ? jsonOf : textOf
    this.#stream = stream
    this.#render = stream.isTTY && stream.hasColors() ? coloured(render) : render
  }

  /** Adds a line. Flushes if `atOnce` is set or the buffer is full. Returns false if the reader has closed the stream. */
  write(item: Item, atOnce: boolean): boolean | Promise<boolean> {
    this.#text += `${this.#render(item)}\n`
    return (!atOnce && this.#text.length < CHUNK_CHARACTERS) || this.flush()
  }

  /** Writes the buffer. Returns false if the reader has closed the stream. Throws ConfigError for other errors. */
  async flush(): Promise<boolean> {
    const text = this.#text
    this.#text = ''
    if (text === '') return true
    const error = await new Promise<Error | null | undefined>(written => this.#stream.write(text, written))
    // Writes to a file complete without a return to the event loop. Yields, so that signals are handled.
    await yieldToEventLoop()
    if (!error) return true
    if (READER_GONE.has(codeOf(error))) return false
    throw new ConfigError(`the output cannot be written: ${error.message}`)
  }
}
