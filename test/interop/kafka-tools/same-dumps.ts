// Compares our dump of the files of a data directory with that of DumpLogSegments, line by line.
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'vitest'
import { dumpLog, dumpLogSegments, type Output } from './dump-log-segments.ts'

/** File patterns with the dump options that apply to them. */
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

/** The files of a folder and its subfolders whose names match. */
export async function filesOf(folder: string, pattern: RegExp): Promise<string[]> {
  const names = await readdir(folder, { recursive: true })
  return names
    .filter(name => pattern.test(name))
    .sort()
    .map(name => join(folder, name))
}

/** Dumps files with both tools, all in one run of each, and expects the same output. */
export async function expectSameDump(files: readonly string[], options: readonly string[]): Promise<void> {
  const command = [...options, '--files', files.join()]
  expect(sorted(await dumpLog(command))).toEqual(sorted(await dumpLogSegments(command)))
}

/**
 * Sorts the findings: Java prints them in the order of a hash table, a line for each file with indented findings below.
 */
function sorted({ stdout, stderr }: Output): Output {
  const byFile = stderr.split(/\n(?! )/).sort()
  return { stdout, stderr: byFile.join('\n') }
}

/**
 * Dumps all files of a data directory. Indexes are skipped after a kill: Kafka's own then end in zeros, and its tool
 * crashes on them.
 */
export async function expectSameDumps(folder: string, isClean: boolean): Promise<void> {
  for (const [pattern, ...options] of isClean ? [...KINDS, ...KINDS_OF_INDEXES] : KINDS) {
    const files = await filesOf(folder, pattern)
    if (files.length > 0) await expectSameDump(files, options)
  }
}
