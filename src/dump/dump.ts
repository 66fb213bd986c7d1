/** Dump of files: finds the files under the given paths and dumps each by its file name suffix. */
import { basename } from 'node:path'
import { StorageError } from '../storage/storage.ts'
import { isAboutBytes } from './decoders.ts'
import { Findings } from './findings.ts'
import { dumpOffsetIndex, dumpTimeIndex } from './formats/indexes.ts'
import { dumpLog } from './formats/log.ts'
import type { Files } from './formats/log-file.ts'
import { dumpProducerSnapshot, dumpTransactionIndex } from './formats/producer-snapshot.ts'
import { type Item, problem } from './items.ts'
import type { DumpOptions } from './options.ts'

type Dumper = (files: Files, path: string, options: DumpOptions, findings: Findings) => Iterable<Item>

const DUMPERS: Readonly<Record<string, Dumper>> = {
  '.log': dumpLog,
  '.checkpoint': dumpLog,
  '.index': dumpOffsetIndex,
  '.timeindex': dumpTimeIndex,
  '.snapshot': dumpProducerSnapshot,
  '.txnindex': dumpTransactionIndex
}

/** The message for a path that does not exist. */
export const MISSING = 'the file or folder does not exist'

/** Dumps the files in the order of `paths`, then all findings. A folder stands for its Kafka files, sorted by name. */
export function* dump(files: Files, paths: readonly string[], options: DumpOptions): Generator<Item> {
  const findings = new Findings()
  for (const path of filesUnder(files, paths)) {
    yield { kind: 'file', pairs: [['file', path]], text: `Dumping ${path}` }
    const dumper = dumperOf(path)
    if (!files.exists(path)) yield problem(path, undefined, MISSING)
    else yield* guarded(path, () => (dumper ? dumper(files, path, options, findings) : ignored(files, path)))
  }
  yield* findings.items()
}

/** The items of a file. If the file cannot be read, or not to its end, the last item is the problem. */
export function* guarded(path: string, items: () => Iterable<Item>): Generator<Item> {
  try {
    yield* items()
  } catch (error) {
    yield problemOf(path, error)
  }
}

/** The problem item for an error of storage or of invalid bytes. Rethrows other errors: they are bugs of minikafka. */
export function problemOf(path: string, error: unknown): Item {
  if (!(error instanceof StorageError) && !isAboutBytes(error)) throw error
  const { message } = error
  return problem(path, undefined, message.startsWith(`${path}: `) ? message.slice(path.length + 2) : message)
}

/** The finding for a path that is not a Kafka file. Throws StorageError for an unreadable folder. */
export function ignored(files: Files, path: string): Item[] {
  files.list(path)
  return [{ kind: 'finding', pairs: [['ignored', path]], text: `Ignoring unknown file ${path}` }]
}

/**
 * The files under the given paths. A folder without Kafka files and an unreadable folder are returned as they are, so that the
 * caller reports them.
 */
export function* filesUnder(files: Files, paths: readonly string[]): Generator<string> {
  for (const given of paths) {
    const path = given.replace(/\/+/g, '/').replace(/(?<=.)\/$/, '')
    let isEmpty = true
    for (const file of filesIn(files, path)) {
      isEmpty = false
      yield file
    }
    if (isEmpty) yield path
  }
}

/** The files in a folder, recursively. A partition may be a link to a folder. Links inside it are skipped: they may cycle. */
function* filesIn(files: Files, folder: string, followsLinks = true): Generator<string> {
  const entries = entriesOfFolder(files, folder)
  if (!entries) return yield folder
  for (const { name, kind, isLink = false } of entries) {
    const path = folder === '' || folder === '/' ? `${folder}${name}` : `${folder}/${name}`
    if (kind === 'file' && dumperOf(path)) yield path
    else if (kind === 'directory' && (followsLinks || !isLink)) yield* filesIn(files, path, followsLinks && !isLink)
  }
}

/** The entries of a folder; empty for a file, undefined for an unreadable folder. */
function entriesOfFolder(files: Files, path: string): ReturnType<Files['list']> | undefined {
  try {
    return files.list(path)
  } catch (error) {
    if (error instanceof StorageError) return undefined
    throw error
  }
}

/** The dumper for the suffix of a file name; undefined for a file that is not Kafka's. */
export function dumperOf(path: string): Dumper | undefined {
  const name = basename(path)
  const dot = name.lastIndexOf('.')
  return dot < 0 ? undefined : DUMPERS[name.slice(dot)]
}
