/**
 * The storage port on the file system of the machine; no other file opens data files. Descriptors are opened on demand
 * and kept in an LRU cache. The cache holds at most `openFilesLimit` descriptors, however many partitions there are. Only files
 * with running syncs may exceed the limit.
 */
import * as fs from 'node:fs'
import * as path from 'node:path'
import { codeOf } from '../runtime/error-code.ts'
import { type DirectoryEntry, type Storage, StorageError, type StorageErrorKind } from './storage.ts'

/** The default limit of open data files. The usual soft limit of a process is 1,024 descriptors. */
export const OPEN_FILES_LIMIT = 512

interface OpenFile {
  readonly descriptor: number
  /** Number of running syncs. The descriptor is closed after the last one. */
  users: number
  /** True once the file is out of the cache. */
  dropped: boolean
}

const READ_WRITE = fs.constants.O_RDWR
const FULL = new Set(['ENOSPC', 'EDQUOT', 'EFBIG'])

export class NodeStorage implements Storage {
  readonly #root: string
  readonly #limit: number
  readonly #flags: number
  /** By path, least recently used first. */
  readonly #open = new Map<string, OpenFile>()

  /** `read-only` opens files for reading only, for directories that another process writes or that are write-protected. */
  constructor(root: string, openFilesLimit = OPEN_FILES_LIMIT, access: 'read-write' | 'read-only' = 'read-write') {
    this.#root = root
    this.#flags = access === 'read-write' ? READ_WRITE : fs.constants.O_RDONLY
    this.#limit = openFilesLimit
  }

  /** Number of open data files. */
  get openFiles(): number {
    return this.#open.size
  }

  list(directory: string): DirectoryEntry[] {
    return attempt(directory, () => {
      const at = this.#absolute(directory)
      if (!fs.statSync(at, { throwIfNoEntry: false })?.isDirectory()) return []
      const entries = fs.readdirSync(at, { withFileTypes: true }).map(entry => described(entry, at))
      return entries.sort((a, b) => (a.name < b.name ? -1 : 1))
    })
  }

  exists(file: string): boolean {
    return fs.existsSync(this.#absolute(file))
  }

  makeDirectory(directory: string): void {
    attempt(directory, () => fs.mkdirSync(this.#absolute(directory), { recursive: true }))
  }

  size(file: string): number {
    return attempt(file, () => fs.statSync(this.#absolute(file)).size)
  }

  modifiedMs(file: string): number {
    return attempt(file, () => Math.round(fs.statSync(this.#absolute(file)).mtimeMs))
  }

  setModified(file: string, modifiedMs: number): void {
    attempt(file, () => fs.utimesSync(this.#absolute(file), modifiedMs / 1000, modifiedMs / 1000))
  }

  read(file: string, position: number, length: number, into?: Buffer): Buffer {
    return attempt(file, () => {
      const { descriptor } = this.#opened(file, this.#flags)
      const bytes = into ?? Buffer.allocUnsafe(length)
      let done = 0
      while (done < length) {
        const count = fs.readSync(descriptor, bytes, done, length - done, position + done)
        if (count === 0) break
        done += count
      }
      return bytes.subarray(0, done)
    })
  }

  append(file: string, bytes: Buffer, position?: number): void {
    attempt(file, () => {
      const { descriptor } = this.#opened(file, READ_WRITE | fs.constants.O_CREAT)
      const end = position ?? fs.fstatSync(descriptor).size
      let done = 0
      while (done < bytes.length) {
        const count = fs.writeSync(descriptor, bytes, done, bytes.length - done, end + done)
        if (count === 0) throw new StorageError('full', `${file}: ${bytes.length - done} bytes were not taken`)
        done += count
      }
    })
  }

  extend(file: string, size: number): void {
    attempt(file, () => {
      if (size > this.size(file)) fs.ftruncateSync(this.#opened(file, READ_WRITE).descriptor, size)
    })
  }

  truncate(file: string, size: number): void {
    attempt(file, () => {
      if (size < this.size(file)) fs.ftruncateSync(this.#opened(file, READ_WRITE).descriptor, size)
    })
  }

  async sync(file: string): Promise<void> {
    const open = attempt(file, () => this.#forSync(file))
    if (!open) return
    open.users++
    try {
      await new Promise<void>((resolve, reject) => {
        fs.fsync(open.descriptor, error => (error ? reject(storageError(file, error, 'failed')) : resolve()))
      })
    } finally {
      open.users--
      closeIfUnused(open)
    }
  }

  syncNow(file: string): void {
    const open = attempt(file, () => this.#forSync(file))
    if (!open) return
    try {
      fs.fsyncSync(open.descriptor)
    } catch (error) {
      throw storageError(file, error, 'failed')
    } finally {
      closeIfUnused(open)
    }
  }

  rename(from: string, to: string): void {
    attempt(from, () => {
      this.#forget(from)
      this.#forget(to)
      fs.renameSync(this.#absolute(from), this.#absolute(to))
    })
  }

  removeNow(file: string): void {
    attempt(file, () => {
      const at = this.#absolute(file)
      const isDirectory = this.#forget(file)
      if (isDirectory) fs.rmSync(at, { recursive: true, force: true })
      else if (isDirectory === false) fs.unlinkSync(at)
    })
  }

  async remove(file: string): Promise<void> {
    try {
      this.#forget(file)
      await fs.promises.rm(this.#absolute(file), { recursive: true, force: true })
    } catch (error) {
      throw storageError(file, error)
    }
  }

  close(): void {
    for (const file of [...this.#open.keys()]) this.#drop(file)
  }

  #absolute(file: string): string {
    return path.join(this.#root, file)
  }

  /** Returns the open file of a path and makes it the most recently used one. */
  #opened(file: string, flags: number): OpenFile {
    const cached = this.#open.get(file)
    if (cached) {
      this.#open.delete(file)
      this.#open.set(file, cached)
      return cached
    }
    this.#closeLeastRecentlyUsed()
    const opened = { descriptor: fs.openSync(this.#absolute(file), flags, 0o644), users: 0, dropped: false }
    this.#open.set(file, opened)
    return opened
  }

  /**
   * Returns the file to sync. Entries of a directory are synced through a descriptor of the directory, which is not cached.
   * Returns undefined for a directory on Windows, which cannot sync directories.
   */
  #forSync(file: string): OpenFile | undefined {
    if (!fs.statSync(this.#absolute(file)).isDirectory()) return this.#opened(file, READ_WRITE)
    if (process.platform === 'win32') return undefined
    return { descriptor: fs.openSync(this.#absolute(file), 'r'), users: 0, dropped: true }
  }

  #closeLeastRecentlyUsed(): void {
    for (const [file, open] of this.#open) {
      if (this.#open.size < this.#limit) return
      if (open.users === 0) this.#drop(file)
    }
  }

  /**
   * Closes a file, or all files of a directory, before it is renamed, replaced or removed. Returns true for a directory, false
   * for a file, undefined if the path does not exist.
   */
  #forget(file: string): boolean | undefined {
    this.#drop(file)
    const isDirectory = fs.lstatSync(this.#absolute(file), { throwIfNoEntry: false })?.isDirectory()
    if (isDirectory) {
      for (const name of [...this.#open.keys()]) if (name.startsWith(`${file}/`)) this.#drop(name)
    }
    return isDirectory
  }

  #drop(file: string): void {
    const open = this.#open.get(file)
    if (!open) return
    this.#open.delete(file)
    open.dropped = true
    closeIfUnused(open)
  }
}

function closeIfUnused(open: OpenFile): void {
  if (open.dropped && open.users === 0) fs.closeSync(open.descriptor)
}

/** Describes a symbolic link by its target: operators move a partition to another disk and leave a link in the data directory. */
function described(entry: fs.Dirent, directory: string): DirectoryEntry {
  const { name } = entry
  if (!entry.isSymbolicLink()) return { name, kind: kindOf(entry) }
  const target = path.join(directory, name)
  return { name, kind: fs.existsSync(target) ? kindOf(fs.statSync(target)) : 'other', isLink: true }
}

function kindOf(entry: fs.Dirent | fs.Stats): DirectoryEntry['kind'] {
  if (entry.isFile()) return 'file'
  return entry.isDirectory() ? 'directory' : 'other'
}

function attempt<T>(file: string, act: () => T): T {
  try {
    return act()
  } catch (error) {
    throw storageError(file, error)
  }
}

function storageError(file: string, error: unknown, kind?: StorageErrorKind): StorageError {
  if (error instanceof StorageError) return error
  const reason = error instanceof Error ? error.message : String(error)
  return new StorageError(kind ?? kindOfCode(codeOf(error)), `${file}: ${reason}`)
}

function kindOfCode(code: string): StorageErrorKind {
  if (FULL.has(code)) return 'full'
  return code === 'EIO' ? 'failed' : 'other'
}
