/**
 * The storage port in memory: for brokers inside tests, and to rehearse what disks do to us: every operation can be made
 * to fail, appends can be torn, and what was never synced can be lost.
 */
import { MemoryFile } from './memory-file.ts'
import { type DirectoryEntry, directoryOf, type Storage, StorageError } from './storage.ts'

/** One call on the storage, as a fault may see it. `number` counts all calls from 1. */
export interface StorageOperation {
  readonly number: number
  readonly name: 'append' | 'read' | 'truncate' | 'sync' | 'rename' | 'remove' | 'makeDirectory'
  readonly path: string
}

/** What goes wrong with one operation: the error, and for an append how many bytes are written before it. */
export interface StorageFault {
  readonly error: StorageError
  readonly writtenBytes?: number
}

export interface MemoryStorageOptions {
  /** Asked before every operation; returns a fault where one is wanted. */
  readonly fault?: (operation: StorageOperation) => StorageFault | undefined
  /** Bytes that fit in; more is an error of kind 'full'. */
  readonly capacityBytes?: number
}

/** A directory: what it holds, by name. */
interface Folder extends Map<string, Folder | MemoryFile> {}

export class MemoryStorage implements Storage {
  readonly #root: Folder = new Map()
  readonly #options: MemoryStorageOptions
  #operationCount = 0
  #usedBytes = 0
  #lastAppend: { file: MemoryFile; sizeBefore: number } | undefined

  constructor(options: MemoryStorageOptions = {}) {
    this.#options = options
  }

  /** Operations so far: the next one has the number after it. */
  get operationCount(): number {
    return this.#operationCount
  }

  /** Power loss: every file by itself loses what was not synced. */
  loseUnsynced(): void {
    for (const file of filesIn(this.#root)) this.#cut(file, file.syncedSize)
  }

  /** Process death in the middle of the last append: only its first `keptBytes` are there. */
  tearLastAppend(keptBytes: number): void {
    if (this.#lastAppend) this.#cut(this.#lastAppend.file, this.#lastAppend.sizeBefore + keptBytes)
  }

  list(directory: string): DirectoryEntry[] {
    const found = this.#find(directory)
    if (!(found instanceof Map)) return []
    const kindOf = (entry: Folder | MemoryFile) => (entry instanceof Map ? 'directory' : 'file')
    const entries = Array.from(found, ([name, entry]): DirectoryEntry => ({ name, kind: kindOf(entry) }))
    return entries.sort((a, b) => (a.name < b.name ? -1 : 1))
  }

  exists(path: string): boolean {
    return this.#find(path) !== undefined
  }

  makeDirectory(path: string): void {
    this.#perform('makeDirectory', path)
    let folder = this.#root
    for (const name of path.split('/')) {
      const inside = folder.get(name) ?? new Map()
      if (inside instanceof MemoryFile) throw new StorageError('other', `${path}: a file is in the way`)
      folder.set(name, inside)
      folder = inside
    }
  }

  size(path: string): number {
    return this.#file(path).size
  }

  read(path: string, position: number, length: number): Buffer {
    this.#perform('read', path)
    return this.#file(path).read(position, length)
  }

  append(path: string, bytes: Buffer): void {
    const fault = this.#fault('append', path)
    const file = this.exists(path) ? this.#file(path) : this.#make(path)
    const room = (this.#options.capacityBytes ?? Number.POSITIVE_INFINITY) - this.#usedBytes
    const taken = Math.min(bytes.length, room, fault ? (fault.writtenBytes ?? 0) : bytes.length)
    this.#lastAppend = { file, sizeBefore: file.size }
    file.append(bytes.subarray(0, taken))
    this.#usedBytes += taken
    if (fault) throw fault.error
    if (taken < bytes.length) throw new StorageError('full', `${path}: no space left`)
  }

  truncate(path: string, size: number): void {
    this.#perform('truncate', path)
    this.#cut(this.#file(path), size)
  }

  async sync(path: string): Promise<void> {
    this.syncNow(path)
  }

  syncNow(path: string): void {
    this.#perform('sync', path)
    if (!(this.#find(path) instanceof Map)) this.#file(path).sync()
  }

  rename(from: string, to: string): void {
    this.#perform('rename', from)
    const moved = this.#find(from)
    if (!moved) throw new StorageError('other', `${from}: no such file`)
    this.#unlink(to)
    this.#folder(directoryOf(from)).delete(baseName(from))
    this.#folder(directoryOf(to)).set(baseName(to), moved)
  }

  removeNow(path: string): void {
    this.#perform('remove', path)
    this.#unlink(path)
  }

  async remove(path: string): Promise<void> {
    this.removeNow(path)
  }

  close(): void {}

  #find(path: string): Folder | MemoryFile | undefined {
    let found: Folder | MemoryFile | undefined = this.#root
    for (const name of path === '' ? [] : path.split('/')) found = found instanceof Map ? found.get(name) : undefined
    return found
  }

  #file(path: string): MemoryFile {
    const file = this.#find(path)
    if (file instanceof MemoryFile) return file
    throw new StorageError('other', `${path}: ${file ? 'a directory' : 'no such file'}`)
  }

  #folder(path: string): Folder {
    const folder = this.#find(path)
    if (folder instanceof Map) return folder
    throw new StorageError('other', `${path}: ${folder ? 'not a directory' : 'no such directory'}`)
  }

  #make(path: string): MemoryFile {
    const file = new MemoryFile()
    this.#folder(directoryOf(path)).set(baseName(path), file)
    return file
  }

  #unlink(path: string): void {
    const gone = this.#find(path)
    if (!gone) return
    for (const { size } of filesIn(gone)) this.#usedBytes -= size
    this.#folder(directoryOf(path)).delete(baseName(path))
  }

  #cut(file: MemoryFile, size: number): void {
    const before = file.size
    file.truncate(size)
    this.#usedBytes -= before - file.size
  }

  #perform(name: StorageOperation['name'], path: string): void {
    const fault = this.#fault(name, path)
    if (fault) throw fault.error
  }

  #fault(name: StorageOperation['name'], path: string): StorageFault | undefined {
    const number = ++this.#operationCount
    return this.#options.fault?.({ number, name, path })
  }
}

function baseName(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1)
}

function* filesIn(from: Folder | MemoryFile): Generator<MemoryFile, undefined> {
  if (from instanceof MemoryFile) yield from
  else for (const inside of from.values()) yield* filesIn(inside)
}
