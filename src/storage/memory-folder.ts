/**
 * A directory in memory, and what of its entries a loss of power may take back: names are on the disk only once the
 * directory has been synced.
 */
import type { Random } from '../runtime/random.ts'
import { MemoryFile } from './memory-file.ts'

/**
 * Which changes of a directory's names a loss of power takes back: the last ones, as in file systems with a journal, or
 * any of those that nothing synced, which is all that is promised.
 */
export type NamesLost = 'the last' | 'any'

/** What a name can stand for. */
export type MemoryEntry = MemoryFolder | MemoryFile

/** One step by which the entries have changed; a rename is one step, so that no loss takes half of it. */
interface Change {
  /** The name and what it stood for; undefined where it is a new entry that appears. */
  readonly from?: { readonly name: string; readonly entry: MemoryEntry }
  /** The name and what it stands for from now on; undefined where the entry goes. */
  readonly to?: { readonly name: string; readonly entry: MemoryEntry }
}

export class MemoryFolder {
  #entries = new Map<string, MemoryEntry>()
  /** The entries on the disk, and what has happened since; undefined where no loss of power is rehearsed. */
  #disk: { entries: Map<string, MemoryEntry>; changes: Change[] } | undefined

  /** `canLosePower`: removed entries are remembered until the next sync, for a loss of power may bring them back. */
  constructor(canLosePower: boolean) {
    if (canLosePower) this.#disk = { entries: new Map(), changes: [] }
  }

  get entries(): ReadonlyMap<string, MemoryEntry> {
    return this.#entries
  }

  /** All files below. */
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

  /** A directory goes after all that is in it, and a loss of power may leave any part of that. */
  remove(name: string): void {
    const entry = this.#entries.get(name)
    if (!entry) return
    if (entry instanceof MemoryFolder) for (const inside of [...entry.entries.keys()]) entry.remove(inside)
    this.#change({ from: { name, entry } })
  }

  /** Gives an entry another name, here or in another directory, where it replaces what is there. */
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

  /** The entries, not what they stand for, are safe from a loss of power. */
  sync(): void {
    if (this.#disk) this.#disk = { entries: new Map(this.#entries), changes: [] }
  }

  /** Takes back what chance will of all that was not synced, here and below. What is left is on the disk. */
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

  /** A step that begins with what an earlier, lost one should have left is lost with it. */
  #apply({ from, to }: Change): void {
    if (from) {
      if (this.#entries.get(from.name) !== from.entry) return
      this.#entries.delete(from.name)
    }
    if (to) this.#entries.set(to.name, to.entry)
  }
}
