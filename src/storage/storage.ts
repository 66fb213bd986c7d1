/**
 * The disk as a port: files and directories under one root. Paths are relative to the root and use '/' as separator.
 * Every failure is a StorageError. After a failed `append` the file may end with a part of the bytes.
 */
import { KafkaError } from '../protocol/errors.ts'

/**
 * The severity of a storage error. 'full': no space left; the file is intact once it is truncated to its old size.
 * 'failed': the device lost or may have lost data (EIO, a failed sync), so the log goes offline.
 * 'other': all other errors, such as missing permissions.
 */
export type StorageErrorKind = 'full' | 'failed' | 'other'

/** A failed operation of the storage. Clients get KAFKA_STORAGE_ERROR. */
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
  /** The kind of the target, if the entry is a symbolic link. */
  readonly kind: 'file' | 'directory' | 'other'
  /** True for a symbolic link. Recursive walks check it, because links may form cycles. */
  readonly isLink?: boolean
}

export interface Storage {
  /** The entries of `directory`, sorted by name; empty if there is no such directory. '' is the root. */
  list(directory: string): DirectoryEntry[]
  exists(path: string): boolean
  /** Creates a directory and its parents. An existing directory is left unchanged. */
  makeDirectory(path: string): void
  /** Size of a file in bytes. */
  size(path: string): number
  /**
   * Reads `length` bytes from `position`; returns fewer only at the end of the file. With `into`, which has at least `length` bytes,
   * the result is a view of it. Otherwise the caller may keep the result, and must not modify it.
   */
  read(path: string, position: number, length: number, into?: Buffer): Buffer
  /** The modification time of a file, in milliseconds since the Unix epoch. */
  modifiedMs(path: string): number
  /** Sets the modification time of a file, in milliseconds since the Unix epoch. */
  setModified(path: string, modifiedMs: number): void
  /**
   * Appends all of `bytes` to a file and creates the file if it does not exist. The caller may reuse `bytes` afterwards.
   * `position` is the end of the written bytes in a preallocated file; by default the end of the file.
   */
  append(path: string, bytes: Buffer, position?: number): void
  /** Preallocates a file: extends it with zeros to `size` bytes. A larger file is left unchanged. */
  extend(path: string, size: number): void
  /** Truncates a file to `size` bytes. A shorter file is left unchanged. */
  truncate(path: string, size: number): void
  /** Syncs a file, or the entries of a directory. Writes before the call survive a loss of power once the promise resolves. */
  sync(path: string): Promise<void>
  /** As `sync`, but synchronous: blocks the process. */
  syncNow(path: string): void
  /** Renames a file or a directory. A file replaces an existing file at `to`. */
  rename(from: string, to: string): void
  /** Removes a file, or a directory with its contents. A missing path is not an error. */
  removeNow(path: string): void
  /** As `removeNow`, but asynchronous, so that large trees do not block the process. */
  remove(path: string): Promise<void>
  /** Closes all open files. The storage must not be used afterwards. */
  close(): void
}

/** The directory part of a path; '' is the root. */
export function directoryOf(path: string): string {
  const slash = path.lastIndexOf('/')
  return slash < 0 ? '' : path.slice(0, slash)
}

/** Replaces the content of a file by `bytes`. After a crash of the process the file has either the old or the new content. */
export function replaceFile(storage: Storage, path: string, bytes: Buffer): void {
  const temporary = `${path}.tmp`
  storage.removeNow(temporary)
  storage.append(temporary, bytes)
  storage.rename(temporary, path)
}

/**
 * As `replaceFile`, but the new content survives a loss of power once the promise resolves. Calls for the same path must not
 * overlap: they use the same temporary file.
 */
export async function replaceFileSynced(storage: Storage, path: string, bytes: Buffer): Promise<void> {
  const temporary = `${path}.tmp`
  storage.removeNow(temporary)
  storage.append(temporary, bytes)
  await storage.sync(temporary)
  storage.rename(temporary, path)
  await storage.sync(directoryOf(path))
}

/**
 * Appends to a file whose valid bytes end at `size`. If the append fails, the file is truncated to `size`, and the error is
 * rethrown. If the truncation fails too, the end of the file is undefined; throws StorageError of kind 'failed'.
 */
export function appendWhole(storage: Storage, path: string, size: number, bytes: Buffer): void {
  try {
    storage.append(path, bytes, size)
  } catch (error) {
    truncateAfterFailure(storage, path, size)
    throw error
  }
}

function truncateAfterFailure(storage: Storage, path: string, size: number): void {
  try {
    if (storage.exists(path)) storage.truncate(path, size)
  } catch (error) {
    throw new StorageError(
      'failed',
      `${path} cannot be truncated to ${size} bytes after a failed write: ${String(error)}`
    )
  }
}
