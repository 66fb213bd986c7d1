/**
 * `minikafka dump-log`: from options to a dump, written as fast as its reader takes it. What is wrong with the files is
 * told on stderr and, where they could not be read or `--verify` was asked for, by exit code 1.
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
  /** True: given without a class. */
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

/** As in Kafka's tool, where it means no limit. */
const NO_MAX_BYTES = 2_147_483_647
const CHUNK_CHARACTERS = 1 << 16
const ROUND_INTERVAL_MS = 200
/** A follower of thousands of partitions must not keep a processor busy for itself. */
const WORK_TO_REST = 5
/** What a pipe answers whose reader has seen enough (`| head -1`), at first and from then on. */
const READER_GONE = new Set(['EPIPE', 'ERR_STREAM_DESTROYED'])

/** Dumps the files and folders. Throws ConfigError when the options ask for what cannot be. */
export async function dumpLog(folders: readonly string[], options: DumpLogOptions): Promise<void> {
  const paths = [...(options.files?.split(',').map(path => path.trim()) ?? []), ...folders].filter(path => path !== '')
  if (paths.length === 0) throw new ConfigError('dump-log needs files: name them with --files, or give a folder')
  const dumped = dumpOptions(options)
  const report = new Report(options)
  if (options.follow) return follow(new Follower(paths, dumped), report, paths)
  const looking = options.verify ? verify : options.transactions ? dumpTransactions : dump
  await reading(storage => report.write(looking(storage, paths, dumped)))
}

/** Shows appended batches, round by round, until a signal to stop or until the reader of the output has closed it. */
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
    // Files change their names: each round opens those that have them now.
    const goesOn = await reading(files => report.write(follower.round(files), stop.signal))
    if (!goesOn) return
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
  // Keys are compared as they are printed.
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
  throw new ConfigError(`${className}: there is no such decoder; there are ${DECODER_NAMES.join(', ')}`)
}

/** Items on their way out, remarks to stderr and all else to stdout. */
class Report {
  readonly #options: DumpLogOptions
  readonly #output: Output
  readonly #errors: Output

  constructor(options: DumpLogOptions) {
    this.#options = options
    this.#output = new Output(process.stdout, options)
    this.#errors = new Output(process.stderr, options)
  }

  /** Writes all, or up to the signal. False once nobody reads any more. */
  async write(items: Iterable<Item>, stopped?: AbortSignal): Promise<boolean> {
    const { verify: isAsked, follow: isFollowing } = this.#options
    for (const item of items) {
      if (item.kind === 'problem' && !isFollowing) process.exitCode = 1
      // What --verify finds is what was asked for, not a remark on it.
      const isRemark = !isAsked && (item.kind === 'problem' || item.kind === 'finding')
      if (isRemark && !(await this.#output.flush())) return false
      const written = (isRemark ? this.#errors : this.#output).write(item, isRemark)
      if (written !== true && !(await written)) return false
      if (stopped?.aborted) break
    }
    return this.#output.flush()
  }
}

/** Lines on their way to a stream, many at a time. */
class Output {
  readonly #stream: Writable
  readonly #render: Renderer
  #text = ''

  constructor(stream: WriteStream, { json }: DumpLogOptions) {
    const render = json ? jsonOf : textOf
    this.#stream = stream
    this.#render = stream.isTTY && stream.hasColors() ? coloured(render) : render
  }

  /** Takes a line. False once nobody reads any more. */
  write(item: Item, atOnce: boolean): boolean | Promise<boolean> {
    this.#text += `${this.#render(item)}\n`
    return (!atOnce && this.#text.length < CHUNK_CHARACTERS) || this.flush()
  }

  /** Throws when the lines do not fit where they are to go. */
  async flush(): Promise<boolean> {
    const text = this.#text
    this.#text = ''
    if (text === '') return true
    const error = await new Promise<Error | null | undefined>(written => this.#stream.write(text, written))
    // A file takes all there is at once: signals must have their turn.
    await yieldToEventLoop()
    if (!error) return true
    if (READER_GONE.has(codeOf(error))) return false
    throw new ConfigError(`the output cannot be written: ${error.message}`)
  }
}
