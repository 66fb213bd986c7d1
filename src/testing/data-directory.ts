/**
 * The data directory of a fixture: none, a path of the user, or a temporary directory. A temporary directory is removed on stop,
 * or at the exit of a process that did not stop the broker. vitest and Jest kill their workers without an exit; the next start
 * with a temporary directory removes theirs.
 */
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { META_PROPERTIES_FILE } from '../log/directory/meta-properties.ts'
import { codeOf } from '../runtime/error-code.ts'
import { systemRandom } from '../runtime/random.ts'
import { DataDirectoryError } from '../storage/data-directory-error.ts'
import { lockDirectory } from '../storage/directory-lock.ts'

/** The value of the option `dataDir` for a temporary directory. */
const TEMPORARY = 'temp'
const PREFIX = 'minikafka-temp-'

/** The data directory of one broker. */
export interface DataDirectory {
  /** The absolute path; undefined for data in memory. */
  readonly path: string | undefined
  /** Called when the broker does not use the directory any more. Removes a temporary directory with all its files. */
  release(): void
}

/** The temporary directories of all brokers of the process. They share one exit listener. */
const temporaryPaths = new Set<string>()

/** Creates the directory for the option `temp`. The broker creates other directories. */
export async function dataDirectory(option: string | undefined): Promise<DataDirectory> {
  switch (option) {
    case undefined:
      return { path: undefined, release: () => {} }
    case TEMPORARY:
      return temporaryDirectory()
    default:
      return { path: resolve(option), release: () => {} }
  }
}

async function temporaryDirectory(): Promise<DataDirectory> {
  const path = makeDirectory()
  if (temporaryPaths.size === 0) process.on('exit', removeAll)
  temporaryPaths.add(path)
  try {
    await removeLeftovers()
  } catch (error) {
    remove(path)
    throw error
  }
  return { path, release: () => remove(path) }
}

function makeDirectory(): string {
  try {
    return mkdtempSync(join(tmpdir(), PREFIX))
  } catch (error) {
    const reason = `${tmpdir()} cannot hold a temporary data directory (${codeOf(error) || error})`
    throw new DataDirectoryError(`${reason}: set TMPDIR to a directory that this user may write to.`)
  }
}

function remove(path: string): void {
  temporaryPaths.delete(path)
  if (temporaryPaths.size === 0) process.off('exit', removeAll)
  rmSync(path, { recursive: true, force: true })
}

function removeAll(): void {
  for (const path of temporaryPaths) remove(path)
}

/** Removes temporary directories whose process has ended. A directory without meta.properties may belong to a running start. */
async function removeLeftovers(): Promise<void> {
  for (const name of readdirSync(tmpdir())) {
    const path = join(tmpdir(), name)
    if (!name.startsWith(PREFIX) || temporaryPaths.has(path) || !existsSync(join(path, META_PROPERTIES_FILE))) continue
    try {
      const lock = await lockDirectory(path, systemRandom)
      rmSync(path, { recursive: true, force: true })
      await lock.release()
    } catch (error) {
      // Another process uses the directory, or removes it at the same time.
      if (!(error instanceof DataDirectoryError)) throw error
    }
  }
}
