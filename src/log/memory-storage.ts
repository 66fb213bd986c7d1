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

export class MemoryStorage implements Storage {
  /** The files of every directory, by name. */
  readonly #directories = new Map<string, Map<string, MemoryFile>>([['', new Map()]])
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
    for (const files of this.#directories.values()) for (const file of files.values()) this.#cut(file, file.syncedSize)
  }

  /** Process death in the middle of the last append: only its first `keptBytes` are there. */
  tearLastAppend(keptBytes: number): void {
    if (this.#lastAppend) this.#cut(this.#lastAppend.file, this.#lastAppend.sizeBefore + keptBytes)
  }

  list(directory: string): DirectoryEntry[] {
    const entries: DirectoryEntry[] = []
    for (const name of this.#directories.get(directory)?.keys() ?? []) entries.push({ name, kind: 'file' })
    for (const path of this.#directories.keys()) {
      if (path !== '' && directoryOf(path) === directory) entries.push({ name: baseName(path), kind: 'directory' })
    }
    return entries.sort((a, b) => (a.name < b.name ? -1 : 1))
  }

  exists(path: string): boolean {
    return this.#find(path) !== undefined || this.#directories.has(path)
  }

  makeDirectory(path: string): void {
    this.#perform('makeDirectory', path)
    for (let at = path; !this.#directories.has(at); at = directoryOf(at)) this.#directories.set(at, new Map())
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
    const file = this.#find(path) ?? this.#make(path)
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
    if (!this.#directories.has(path)) this.#file(path).sync()
  }

  rename(from: string, to: string): void {
    this.#perform('rename', from)
    if (this.#directories.has(from)) {
      for (const [path, files] of [...this.#directories]) {
        if (!isWithin(path, from)) continue
        this.#directories.delete(path)
        this.#directories.set(to + path.slice(from.length), files)
      }
      return
    }
    const file = this.#file(from)
    this.#unlink(to)
    this.#directories.get(directoryOf(from))?.delete(baseName(from))
    this.#folder(to).set(baseName(to), file)
  }

  removeNow(path: string): void {
    this.#perform('remove', path)
    this.#unlink(path)
    for (const [directory, files] of [...this.#directories]) {
      if (!isWithin(directory, path)) continue
      for (const name of [...files.keys()]) this.#unlink(`${directory}/${name}`)
      this.#directories.delete(directory)
    }
  }

  async remove(path: string): Promise<void> {
    this.removeNow(path)
  }

  close(): void {}

  #find(path: string): MemoryFile | undefined {
    return this.#directories.get(directoryOf(path))?.get(baseName(path))
  }

  #file(path: string): MemoryFile {
    const file = this.#find(path)
    if (!file) throw new StorageError('other', `${path}: no such file`)
    return file
  }

  #make(path: string): MemoryFile {
    const file = new MemoryFile()
    this.#folder(path).set(baseName(path), file)
    return file
  }

  #folder(path: string): Map<string, MemoryFile> {
    const files = this.#directories.get(directoryOf(path))
    if (!files) throw new StorageError('other', `${path}: no such directory`)
    return files
  }

  #unlink(path: string): void {
    this.#usedBytes -= this.#find(path)?.size ?? 0
    this.#directories.get(directoryOf(path))?.delete(baseName(path))
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

function isWithin(path: string, directory: string): boolean {
  return path === directory || path.startsWith(`${directory}/`)
}
