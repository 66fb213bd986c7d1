/**
 * The storage port in memory, for in-memory brokers and for tests of disk failures. Tests can fail each operation, tear
 * appends and lose unsynced data.
 */
import { assert } from '../runtime/assert.ts'
import type { Random } from '../runtime/random.ts'
import { MemoryFile } from './memory-file.ts'
import { type MemoryEntry, MemoryFolder, type NamesLost } from './memory-folder.ts'
import { type DirectoryEntry, directoryOf, type Storage, StorageError } from './storage.ts'

/** An operation on the storage, passed to `fault`. `number` counts the operations from 1. */
export interface StorageOperation {
  readonly number: number
  readonly name: 'append' | 'read' | 'truncate' | 'sync' | 'rename' | 'remove' | 'makeDirectory'
  readonly path: string
  /** Number of bytes to append; 0 for other operations. */
  readonly bytes: number
}

/** An injected fault of an operation: the error, and for an append the number of bytes written before it (default 0). */
export interface StorageFault {
  readonly error: StorageError
  readonly writtenBytes?: number
}

export interface MemoryStorageOptions {
  /** Called before each operation. Returns the fault to inject, or undefined. */
  readonly fault?: (operation: StorageOperation) => StorageFault | undefined
  /** The clock of modification times, in milliseconds. By default all modification times are 0. */
  readonly now?: () => number
  /** The capacity of the disk in bytes. Writes beyond it throw StorageError of kind 'full'. */
  readonly capacityBytes?: number
  /** Enables `losePower`: removed entries stay in memory until the next sync. */
  readonly canLosePower?: boolean
}

export class MemoryStorage implements Storage {
  readonly #root: MemoryFolder
  readonly #options: MemoryStorageOptions
  #operationCount = 0
  #usedBytes = 0
  #isDead = false
  #lastAppend: { file: MemoryFile; sizeBefore: number } | undefined

  /** `root` is the content left by an earlier process. */
  constructor(options: MemoryStorageOptions = {}, root = new MemoryFolder(options.canLosePower === true)) {
    this.#options = options
    this.#root = root
    for (const { size } of root.files()) this.#usedBytes += size
  }

  /** Number of operations so far. */
  get operationCount(): number {
    return this.#operationCount
  }

  /** Truncates every file to its synced bytes. Names of files and directories are kept. */
  loseUnsynced(): void {
    for (const file of this.#root.files()) this.#cut(file, file.syncedSize)
  }

  /** Simulates the death of the process. Later operations on this storage throw. Returns the storage of the next process. */
  die(options: MemoryStorageOptions = this.#options): MemoryStorage {
    this.#isDead = true
    return new MemoryStorage(options, this.#root)
  }

  /** Simulates a loss of power. The next process finds all synced data and a random part of the unsynced changes. */
  losePower(random: Random, names: NamesLost, options = this.#options): MemoryStorage {
    assert(this.#options.canLosePower, 'the storage remembers what a loss of power may bring back')
    this.#root.losePower(random, names)
    return this.die(options)
  }

  /** Simulates the death of the process during the last append: keeps only its first `keptBytes` bytes. */
  tearLastAppend(keptBytes: number): void {
    if (this.#lastAppend) this.#cut(this.#lastAppend.file, this.#lastAppend.sizeBefore + keptBytes)
  }

  list(directory: string): DirectoryEntry[] {
    const found = this.#find(directory)
    if (!(found instanceof MemoryFolder)) return []
    const kindOf = (entry: MemoryEntry) => (entry instanceof MemoryFile ? 'file' : 'directory')
    const entries = Array.from(found.entries, ([name, entry]): DirectoryEntry => ({ name, kind: kindOf(entry) }))
    return entries.sort((a, b) => (a.name < b.name ? -1 : 1))
  }

  exists(path: string): boolean {
    return this.#find(path) !== undefined
  }

  makeDirectory(path: string): void {
    this.#perform('makeDirectory', path)
    let folder = this.#root
    for (const name of path.split('/')) {
      const inside = folder.get(name) ?? folder.addFolder(name)
      if (inside instanceof MemoryFile) throw new StorageError('other', `${path}: a file is in the way`)
      folder = inside
    }
  }

  size(path: string): number {
    return this.#file(path).size
  }

  read(path: string, position: number, length: number, into?: Buffer): Buffer {
    this.#perform('read', path)
    return this.#file(path).read(position, length, into)
  }

  modifiedMs(path: string): number {
    return this.#file(path).modifiedMs
  }

  setModified(path: string, modifiedMs: number): void {
    this.#file(path).modifiedMs = modifiedMs
  }

  append(path: string, bytes: Buffer, position?: number): void {
    const fault = this.#fault('append', path, bytes.length)
    const file = this.exists(path) ? this.#file(path) : this.#folder(directoryOf(path)).addFile(baseName(path))
    const { size } = file
    const laidOut = size - (position ?? size)
    const room = (this.#options.capacityBytes ?? Number.POSITIVE_INFINITY) - this.#usedBytes + laidOut
    const taken = Math.min(bytes.length, room, fault ? (fault.writtenBytes ?? 0) : bytes.length)
    this.#lastAppend = { file, sizeBefore: size - laidOut }
    file.append(bytes.subarray(0, taken), position)
    file.modifiedMs = this.#options.now?.() ?? 0
    this.#usedBytes += file.size - size
    if (fault) throw fault.error
    if (taken < bytes.length) throw new StorageError('full', `${path}: no space left`)
  }

  extend(path: string, size: number): void {
    this.#perform('append', path)
    const file = this.#file(path)
    const room = (this.#options.capacityBytes ?? Number.POSITIVE_INFINITY) - this.#usedBytes
    if (size - file.size > room) throw new StorageError('full', `${path}: no space left`)
    const before = file.size
    file.extend(size)
    this.#usedBytes += file.size - before
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
    const folder = this.#find(path)
    if (folder instanceof MemoryFolder) folder.sync()
    else this.#file(path).sync()
  }

  rename(from: string, to: string): void {
    this.#perform('rename', from)
    if (!this.exists(from)) throw new StorageError('other', `${from}: no such file`)
    this.#forget(to)
    this.#folder(directoryOf(from)).move(baseName(from), this.#folder(directoryOf(to)), baseName(to))
  }

  removeNow(path: string): void {
    this.#perform('remove', path)
    this.#forget(path)
    if (this.exists(path)) this.#folder(directoryOf(path)).remove(baseName(path))
  }

  async remove(path: string): Promise<void> {
    this.removeNow(path)
  }

  close(): void {}

  #find(path: string): MemoryEntry | undefined {
    let found: MemoryEntry | undefined = this.#root
    for (const name of path === '' ? [] : path.split('/')) {
      found = found instanceof MemoryFolder ? found.get(name) : undefined
    }
    return found
  }

  #file(path: string): MemoryFile {
    const file = this.#find(path)
    if (file instanceof MemoryFile) return file
    throw new StorageError('other', `${path}: ${file ? 'a directory' : 'no such file'}`)
  }

  #folder(path: string): MemoryFolder {
    const folder = this.#find(path)
    if (folder instanceof MemoryFolder) return folder
    throw new StorageError('other', `${path}: ${folder ? 'not a directory' : 'no such directory'}`)
  }

  /** Subtracts the bytes of a path from the used bytes before the path is removed or replaced. */
  #forget(path: string): void {
    const gone = this.#find(path)
    for (const { size } of gone instanceof MemoryFile ? [gone] : (gone?.files() ?? [])) this.#usedBytes -= size
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

  #fault(name: StorageOperation['name'], path: string, bytes = 0): StorageFault | undefined {
    if (this.#isDead) throw new StorageError('failed', `${path}: this process is dead`)
    const number = ++this.#operationCount
    return this.#options.fault?.({ number, name, path, bytes })
  }
}

function baseName(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1)
}
