/** From paths to items: which files a path stands for, and who knows what is in them. */
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

/** What is said of a path that leads nowhere. */
export const MISSING = 'there is no such file or folder'

/** Everything about the files, in the order given; a folder stands for what can be dumped in it, by name. */
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

/** The items, and if the file cannot be read (further), one that says why. */
export function* guarded(path: string, items: () => Iterable<Item>): Generator<Item> {
  try {
    yield* items()
  } catch (error) {
    yield problemOf(path, error)
  }
}

/** What an error says of a file that cannot be read (further). Throws those that are our own bugs. */
export function problemOf(path: string, error: unknown): Item {
  if (!(error instanceof StorageError) && !isAboutBytes(error)) throw error
  const { message } = error
  return problem(path, undefined, message.startsWith(`${path}: `) ? message.slice(path.length + 2) : message)
}

/** Tells that a path is not looked into. Throws StorageError for a folder that cannot be. */
export function ignored(files: Files, path: string): Item[] {
  files.list(path)
  return [{ kind: 'finding', pairs: [['ignored', path]], text: `Ignoring unknown file ${path}` }]
}

/**
 * The files that the paths stand for. A folder in which there are none stands for itself, and so does one that cannot be
 * read: whoever named it is told.
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

/** A partition may be a link to a folder elsewhere. Links within links may lead round in circles. */
function* filesIn(files: Files, folder: string, followsLinks = true): Generator<string> {
  const entries = entriesOfFolder(files, folder)
  if (!entries) return yield folder
  for (const { name, kind, isLink = false } of entries) {
    const path = folder === '' || folder === '/' ? `${folder}${name}` : `${folder}/${name}`
    if (kind === 'file' && dumperOf(path)) yield path
    else if (kind === 'directory' && (followsLinks || !isLink)) yield* filesIn(files, path, followsLinks && !isLink)
  }
}

/** None for a file; undefined for a folder that cannot be read. */
function entriesOfFolder(files: Files, path: string): ReturnType<Files['list']> | undefined {
  try {
    return files.list(path)
  } catch (error) {
    if (error instanceof StorageError) return undefined
    throw error
  }
}

/** Who dumps files with such a name; undefined for a file that is none of Kafka's. */
export function dumperOf(path: string): Dumper | undefined {
  const name = basename(path)
  const dot = name.lastIndexOf('.')
  return dot < 0 ? undefined : DUMPERS[name.slice(dot)]
}
