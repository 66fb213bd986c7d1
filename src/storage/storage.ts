/**
 * The disk as a port: files and directories under one root, named by paths relative to it with '/' between the parts.
 * Whatever goes wrong is a StorageError; after a failed `append` the file may end in a part of what was to be written.
 */
import { KafkaError } from '../protocol/errors.ts'

/**
 * How bad it is. 'full': no room, and things may be as before once the file is cut back. 'failed': the device lost or
 * may have lost data (EIO, a failed sync), nothing more can be believed. 'other': everything else (permissions, ...).
 */
export type StorageErrorKind = 'full' | 'failed' | 'other'

/** The disk did not do what it was asked. A client is told KAFKA_STORAGE_ERROR. */
export class StorageError extends KafkaError {
  override name = 'StorageError'
  readonly kind: StorageErrorKind

  constructor(kind: StorageErrorKind, message: string) {
    super('KAFKA_STORAGE_ERROR', message)
    this.kind = kind
  }
}

/** An entry of a directory. */
export interface DirectoryEntry {
  readonly name: string
  /** Of a link: what it leads to. */
  readonly kind: 'file' | 'directory' | 'other'
  /** Whoever walks through directories must not walk in circles. */
  readonly isLink?: boolean
}

export interface Storage {
  /** What `directory` holds, sorted by name; nothing when there is none of that name. '' is the root. */
  list(directory: string): DirectoryEntry[]
  exists(path: string): boolean
  /** Makes a directory and its parents; one that exists stays as it is. */
  makeDirectory(path: string): void
  /** Size of a file in bytes. */
  size(path: string): number
  /** At most `length` bytes from `position`; fewer only at the end of the file. The caller must not change them. */
  read(path: string, position: number, length: number): Buffer
  /** When a file was last written to, in milliseconds since the Unix epoch. */
  modifiedMs(path: string): number
  /** Gives out that a file was last written to at that time. */
  setModified(path: string, modifiedMs: number): void
  /**
   * Adds all of `bytes` at the end of a file, which is made if need be; the bytes are the caller's again afterwards.
   * `position`: where what was written ends in a file that was laid out in advance.
   */
  append(path: string, bytes: Buffer, position?: number): void
  /** Lays a file out in advance, `size` bytes of zeros behind what it has; a larger one stays as it is. */
  extend(path: string, size: number): void
  /** Cuts a file to `size` bytes; a shorter one stays as it is. */
  truncate(path: string, size: number): void
  /** Resolves when what was written to a file (or the entries of a directory) before the call would survive a loss of power. */
  sync(path: string): Promise<void>
  /** As `sync`, but the process waits. */
  syncNow(path: string): void
  /** Renames a file, replacing what is there, or a directory. */
  rename(from: string, to: string): void
  /** Removes a file, or a directory with all it holds; what does not exist is removed already. */
  removeNow(path: string): void
  /** As `removeNow`, without blocking the process on large trees. */
  remove(path: string): Promise<void>
  /** Gives open files back to the system. The storage is not to be used afterwards. */
  close(): void
}

/** The directory part of a path; '' is the root. */
export function directoryOf(path: string): string {
  const slash = path.lastIndexOf('/')
  return slash < 0 ? '' : path.slice(0, slash)
}

/** Puts `bytes` in the place of a whole file: a process that dies meanwhile leaves the old content or the new. */
export function replaceFile(storage: Storage, path: string, bytes: Buffer): void {
  const temporary = `${path}.tmp`
  storage.removeNow(temporary)
  storage.append(temporary, bytes)
  storage.rename(temporary, path)
}

/** As `replaceFile`, and the new content has reached the disk when the promise resolves. Not for two at once on one path. */
export async function replaceFileSynced(storage: Storage, path: string, bytes: Buffer): Promise<void> {
  const temporary = `${path}.tmp`
  storage.removeNow(temporary)
  storage.append(temporary, bytes)
  await storage.sync(temporary)
  storage.rename(temporary, path)
  await storage.sync(directoryOf(path))
}

/**
 * Appends to a file whose good bytes end at `size`. If that fails, the file is cut back, so that nothing has changed;
 * if even that fails the error's kind is 'failed', for nobody knows what the file ends in.
 */
export function appendWhole(storage: Storage, path: string, size: number, bytes: Buffer): void {
  try {
    storage.append(path, bytes, size)
  } catch (error) {
    cutBack(storage, path, size)
    throw error
  }
}

function cutBack(storage: Storage, path: string, size: number): void {
  try {
    if (storage.exists(path)) storage.truncate(path, size)
  } catch (error) {
    throw new StorageError(
      'failed',
      `${path} cannot be cut back to ${size} bytes after a failed write: ${String(error)}`
    )
  }
}
