/**
 * The dump of `--follow`: in rounds, each of which shows the batches appended since the last one. Only `.log` files are
 * followed. Other files of a partition are written when a segment rolls, or are replaced as a whole.
 */
import { basename, dirname } from 'node:path'
import { parseFolder } from '../../log/partition-folder.ts'
import { baseOffsetOf } from '../../log/segment/segment-names.ts'
import { dumperOf, filesUnder, MISSING, problemOf } from '../dump.ts'
import { Findings } from '../findings.ts'
import { beginning } from '../formats/log.ts'
import type { Files } from '../formats/log-file.ts'
import { type Item, problem } from '../items.ts'
import type { DumpOptions } from '../options.ts'
import { FollowedLog } from './followed-log.ts'

/** Returns the problem of a path that cannot be followed; undefined for a folder or a `.log` file. */
export function unfollowable(files: Files, path: string): Item | undefined {
  if (!files.exists(path)) return problem(path, undefined, MISSING)
  try {
    files.list(path)
    const named = files.list(dirname(path)).find(({ name }) => name === basename(path))
    if (named?.kind !== 'file' || baseOffsetOf(named.name) !== undefined) return undefined
    return problem(path, undefined, '--follow reads only the .log files of partitions')
  } catch (error) {
    return problemOf(path, error)
  }
}

/** The followed logs under the given paths, including logs that are created later. */
export class Follower {
  readonly #paths: readonly string[]
  readonly #options: DumpOptions
  readonly #logs = new Map<string, FollowedLog>()
  /** Unreadable folders that have been reported. Each is reported once. */
  readonly #shut = new Set<string>()
  /** The file of the last heading. */
  #shown: string | undefined

  constructor(paths: readonly string[], options: DumpOptions) {
    this.#paths = paths
    this.#options = options
  }

  /** Yields the batches since the last round. Files may have been replaced since, so `files` must not keep them open. */
  *round(files: Files): Generator<Item> {
    const findings = new Findings()
    for (const path of filesUnder(files, this.#paths)) {
      if (dumperOf(path)) this.#find(path)
      else yield* this.#reportUnreadable(files, path)
    }
    for (const log of this.#logs.values()) {
      for (const { path, item } of log.round(files, this.#options, findings)) {
        if (item.kind !== 'finding' && path !== this.#shown) yield* this.#heading(path, log)
        yield item
      }
    }
    yield* findings.items()
  }

  *#heading(path: string, log: FollowedLog): Generator<Item> {
    this.#shown = path
    yield { kind: 'file', pairs: [['file', path]], text: `Dumping ${path}` }
    if (log.isNew(path)) yield beginning(path)
  }

  #find(path: string): void {
    const folder = dirname(path)
    const baseOffset = baseOffsetOf(basename(path))
    if (baseOffset === undefined || this.#logs.has(folder)) return
    // The folder of a deleted partition: its log was followed under the old name.
    if (parseFolder(basename(folder)) === 'delete') return
    this.#logs.set(folder, new FollowedLog(folder, baseOffset))
  }

  *#reportUnreadable(files: Files, folder: string): Generator<Item> {
    const why = files.exists(folder) ? unfollowable(files, folder) : undefined
    if (!why || this.#shut.has(folder)) return
    this.#shut.add(folder)
    yield why
  }
}
