/**
 * The data directory of a fixture: none, one of the user, or a temporary one. A temporary directory is removed on stop, and
 * at the exit of the process where the stop was forgotten. vitest and Jest end their workers without an exit: the next
 * temporary directory removes what they have left.
 */
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { META_PROPERTIES_FILE } from '../log/directory/meta-properties.ts'
import { codeOf } from '../runtime/error-code.ts'
import { systemRandom } from '../runtime/random.ts'
import { DataDirectoryError } from '../storage/data-directory-error.ts'
import { lockDirectory } from '../storage/directory-lock.ts'

/** The value of the option `dataDir` that asks for a temporary directory. */
const TEMPORARY = 'temp'
const PREFIX = 'minikafka-temp-'

/** The data directory of one broker. */
export interface DataDirectory {
  /** The absolute path; undefined in memory. */
  readonly path: string | undefined
  /** Ends the use by the broker. A temporary directory is removed with all files in it. */
  release(): void
}

/** The temporary directories of all brokers of the process: one exit listener serves any number of them. */
const temporaryPaths = new Set<string>()

/** Makes a temporary directory where the option asks for it. The broker makes other directories. */
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

/** Removes temporary directories whose process has ended. A directory without meta.properties may belong to a start under way. */
async function removeLeftovers(): Promise<void> {
  for (const name of readdirSync(tmpdir())) {
    const path = join(tmpdir(), name)
    if (!name.startsWith(PREFIX) || temporaryPaths.has(path) || !existsSync(join(path, META_PROPERTIES_FILE))) continue
    try {
      const lock = await lockDirectory(path, systemRandom)
      rmSync(path, { recursive: true, force: true })
      await lock.release()
    } catch (error) {
      // Another process uses it, or removes it at the same time.
      if (!(error instanceof DataDirectoryError)) throw error
    }
  }
}
