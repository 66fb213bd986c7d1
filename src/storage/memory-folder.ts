/**
 * A directory in memory that simulates a loss of power. Changes of its entries are durable only after a sync of the directory.
 */
import type { Random } from '../runtime/random.ts'
import { MemoryFile } from './memory-file.ts'

/**
 * The unsynced changes of a directory that a loss of power undoes. 'the last': a random number of the last changes, as in
 * file systems with a journal. 'any': any subset; POSIX guarantees no more.
 */
export type NamesLost = 'the last' | 'any'

/** An entry of a directory. */
export type MemoryEntry = MemoryFolder | MemoryFile

/** A change of a directory. A rename within the directory is one change: a loss of power undoes all of it or nothing. */
interface Change {
  /** The entry before the change; undefined if the change adds an entry. */
  readonly from?: { readonly name: string; readonly entry: MemoryEntry }
  /** The entry after the change; undefined if the change removes the entry. */
  readonly to?: { readonly name: string; readonly entry: MemoryEntry }
}

export class MemoryFolder {
  #entries = new Map<string, MemoryEntry>()
  /** The synced entries, and the changes since that sync; undefined without simulation of a loss of power. */
  #disk: { entries: Map<string, MemoryEntry>; changes: Change[] } | undefined

  /** `canLosePower` keeps removed entries until the next sync, because a loss of power may restore them. */
  constructor(canLosePower: boolean) {
    if (canLosePower) this.#disk = { entries: new Map(), changes: [] }
  }

  get entries(): ReadonlyMap<string, MemoryEntry> {
    return this.#entries
  }

  /** All files of this directory and its subdirectories. */
  *files(): Generator<MemoryFile, undefined> {
    for (const entry of this.#entries.values()) {
      if (entry instanceof MemoryFile) yield entry
      else yield* entry.files()
    }
  }

  get(name: string): MemoryEntry | undefined {
    return this.#entries.get(name)
  }

  addFile(name: string): MemoryFile {
    const file = new MemoryFile()
    this.#change({ to: { name, entry: file } })
    return file
  }

  addFolder(name: string): MemoryFolder {
    const folder = new MemoryFolder(this.#disk !== undefined)
    this.#change({ to: { name, entry: folder } })
    return folder
  }

  /** Removes an entry. A directory's contents are removed first, and each removal is a change that a loss of power may undo. */
  remove(name: string): void {
    const entry = this.#entries.get(name)
    if (!entry) return
    if (entry instanceof MemoryFolder) for (const inside of [...entry.entries.keys()]) entry.remove(inside)
    this.#change({ from: { name, entry } })
  }

  /** Renames an entry, within this directory or into `folder`. It replaces an existing entry of the new name. */
  move(name: string, folder: MemoryFolder, newName: string): void {
    const entry = this.#entries.get(name)
    if (!entry) return
    if (folder === this) {
      this.#change({ from: { name, entry }, to: { name: newName, entry } })
    } else {
      folder.#change({ to: { name: newName, entry } })
      this.#change({ from: { name, entry } })
    }
  }

  /** Makes the entries durable. The contents of files and subdirectories have syncs of their own. */
  sync(): void {
    if (this.#disk) this.#disk = { entries: new Map(this.#entries), changes: [] }
  }

  /** Undoes a random part of the unsynced changes of this directory and everything below. The rest becomes durable. */
  losePower(random: Random, names: NamesLost): void {
    if (this.#disk) {
      const { entries, changes } = this.#disk
      this.#entries = entries
      const kept = names === 'the last' ? changes.slice(0, random.below(changes.length + 1)) : changes
      for (const change of kept) if (names === 'the last' || random.below(2) === 0) this.#apply(change)
    }
    for (const entry of this.#entries.values()) entry.losePower(random, names)
    this.sync()
  }

  #change(change: Change): void {
    this.#disk?.changes.push(change)
    this.#apply(change)
  }

  /** Applies a change. A change whose `from` entry is missing is skipped, because it depends on a lost change. */
  #apply({ from, to }: Change): void {
    if (from) {
      if (this.#entries.get(from.name) !== from.entry) return
      this.#entries.delete(from.name)
    }
    if (to) this.#entries.set(to.name, to.entry)
  }
}
