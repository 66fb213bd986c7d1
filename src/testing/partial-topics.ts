/**
 * The file in the data directory that names the topics whose initial records are being written. A killed process leaves the file,
 * so that the next start knows that these topics are incomplete. Kafka ignores the file.
 */
import { appendFileSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { codeOf } from '../runtime/error-code.ts'
import { DataDirectoryError } from '../storage/data-directory-error.ts'

const FILE = 'minikafka-partial-topics'

/** Topics that have only a part of their initial records. */
export class PartialTopics {
  readonly #path: string | undefined
  readonly #names: Set<string>
  #isChanged = false

  /** `dataDir` is null for data in memory. */
  constructor(dataDir: string | null) {
    this.#path = dataDir === null ? undefined : join(dataDir, FILE)
    this.#names = new Set(this.#path === undefined ? [] : namesIn(this.#path))
  }

  has(name: string): boolean {
    return this.#names.has(name)
  }

  /** Adds a topic before its first record is written. */
  add(name: string): void {
    this.#names.add(name)
    this.#isChanged = true
    if (this.#path !== undefined) writing(this.#path, path => appendFileSync(path, `${name}\n`))
  }

  /** Removes topics that have all or none of their initial records. */
  delete(names: Iterable<string>): void {
    for (const name of names) this.#names.delete(name)
    if (this.#path === undefined || !this.#isChanged) return
    const lines = Array.from(this.#names, name => `${name}\n`).join('')
    writing(this.#path, path => (lines === '' ? rmSync(path, { force: true }) : writeFileSync(path, lines)))
  }
}

function namesIn(path: string): string[] {
  try {
    return readFileSync(path, 'utf8')
      .split('\n')
      .filter(name => name !== '')
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return []
    throw new DataDirectoryError(`${path} cannot be read (${codeOf(error) || error}): make it readable, or remove it.`)
  }
}

function writing(path: string, write: (path: string) => void): void {
  try {
    write(path)
  } catch (error) {
    throw new DataDirectoryError(`${path} cannot be written (${codeOf(error) || error}).`)
  }
}
