// Our dump of the files of a data folder beside that of Kafka's own tool, line by line.
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'vitest'
import { dumpLog, dumpLogSegments, type Output } from './dump-log-segments.ts'

/** Which files are dumped with which options, to see all that lies in a folder. */
type Kinds = readonly (readonly [files: RegExp, ...options: string[]])[]
const KINDS: Kinds = [
  [/^(?!__).*\.log$/, '--print-data-log'],
  [/^__consumer_offsets-\d+\/.*\.log$/, '--offsets-decoder'],
  [/^__transaction_state-\d+\/.*\.log$/, '--transaction-log-decoder'],
  [/^__cluster_metadata-0\/.*\.log$/, '--cluster-metadata-decoder'],
  [/\.checkpoint$/, '--cluster-metadata-decoder'],
  [/\.snapshot$/],
  [/\.txnindex$/]
]
const KINDS_OF_INDEXES: Kinds = [
  [/\.(time)?index$/],
  [/\.index$/, '--index-sanity-check'],
  [/\.(time)?index$/, '--verify-index-only']
]

/** The files of a folder, and of the folders in it, whose names match. */
export async function filesOf(folder: string, pattern: RegExp): Promise<string[]> {
  const names = await readdir(folder, { recursive: true })
  return names
    .filter(name => pattern.test(name))
    .sort()
    .map(name => join(folder, name))
}

/** Dumps files with both tools, all in one run of each, and expects the same. */
export async function expectSameDump(files: readonly string[], options: readonly string[]): Promise<void> {
  const command = [...options, '--files', files.join()]
  expect(sorted(await dumpLog(command))).toEqual(sorted(await dumpLogSegments(command)))
}

/** Java tells its findings in the order of a hash table: a line for each file, and the findings indented below it. */
function sorted({ stdout, stderr }: Output): Output {
  const byFile = stderr.split(/\n(?! )/).sort()
  return { stdout, stderr: byFile.join('\n') }
}

/**
 * Dumps all that lies in a data folder, but for indexes where a broker was killed: Kafka's own are laid out in zeros then,
 * and its tool dies of them.
 */
export async function expectSameDumps(folder: string, isClean: boolean): Promise<void> {
  for (const [pattern, ...options] of isClean ? [...KINDS, ...KINDS_OF_INDEXES] : KINDS) {
    const files = await filesOf(folder, pattern)
    if (files.length > 0) await expectSameDump(files, options)
  }
}
