/**
 * Findings: mismatches between files or records. As DumpLogSegments does, they are printed to stderr after all files, grouped by
 * kind. A damaged index has millions of them, so for each kind and file a limited number is kept and the rest is counted.
 */
import { isAbsolute, sep } from 'node:path'
import type { Item } from './items.ts'

const MOST_KEPT = 10_000

/** The kinds of findings, in the order in which they are printed. */
const KINDS = {
  offsetMismatch: {
    summary: 'an entry has the wrong offset',
    title: 'Mismatches in :',
    line: (a: bigint, b: bigint) => `  Index offset: ${a}, log offset: ${b}`,
    order: 'descending'
  },
  timestampMismatch: {
    summary: 'an entry has the wrong timestamp',
    title: 'Found timestamp mismatch in :',
    line: (a: bigint, b: bigint) => `  Index timestamp: ${a}, log timestamp: ${b}`,
    order: 'found'
  },
  timestampOrder: {
    summary: 'entries are out of order',
    title: 'Found out of order timestamp in :',
    line: (a: bigint, b: bigint) => `  Index timestamp: ${a}, Previously indexed timestamp: ${b}`,
    order: 'found'
  },
  offsetNotFound: {
    summary: 'an entry has an offset that is not the last of a batch',
    title: 'The following indexed offsets are not found in :',
    line: (a: bigint, b: bigint) => `Indexed offset: ${a}, found log offset: ${b}`,
    order: 'found'
  },
  nonConsecutive: {
    summary: 'offsets are missing',
    title: 'Non-consecutive offsets in ',
    line: (a: bigint, b: bigint) => `  ${a} is followed by ${b}`,
    order: 'ascending'
  }
} as const

export type FindingKind = keyof typeof KINDS

interface Found {
  readonly pairs: [bigint, bigint][]
  count: number
}

export class Findings {
  readonly #found = new Map<FindingKind, Map<string, Found>>()

  add(kind: FindingKind, path: string, first: bigint, second: bigint): void {
    const files = this.#found.get(kind) ?? new Map<string, Found>()
    this.#found.set(kind, files)
    const found = files.get(path) ?? { pairs: [], count: 0 }
    files.set(path, found)
    found.count++
    if (found.pairs.length < MOST_KEPT) found.pairs.push([first, second])
  }

  /** The message of each kept finding, after the summary of its kind. */
  *each(): Generator<string> {
    for (const [kind, files] of this.#found) {
      const { summary, line } = KINDS[kind]
      for (const { pairs } of files.values()) {
        for (const [first, second] of pairs) yield `${summary}: ${line(first, second).trim()}`
      }
    }
  }

  *items(): Generator<Item, undefined> {
    for (const kind of Object.keys(KINDS) as FindingKind[]) {
      for (const [path, found] of this.#found.get(kind) ?? []) yield* itemsOf(kind, path, found)
    }
  }
}

function* itemsOf(kind: FindingKind, path: string, { pairs, count }: Found): Generator<Item, undefined> {
  const { title, line, order } = KINDS[kind]
  const file = absolute(path)
  yield {
    kind: 'finding',
    pairs: [
      ['found', kind],
      ['file', file],
      ['count', count]
    ],
    text: `${title}${file}`
  }
  for (const [first, second] of ordered(pairs, order)) {
    yield {
      kind: 'finding',
      pairs: [
        ['first', first],
        ['second', second]
      ],
      text: line(first, second)
    }
  }
  if (count > pairs.length) {
    yield { kind: 'finding', pairs: [['left out', count - pairs.length]], text: `  and ${count - pairs.length} more` }
  }
}

function ordered(pairs: readonly [bigint, bigint][], order: 'ascending' | 'descending' | 'found') {
  if (order === 'found') return pairs
  const sign = order === 'ascending' ? 1 : -1
  // Of the pairs with the same first offset Kafka keeps the last one.
  return [...new Map(pairs)].sort(([a], [b]) => (a === b ? 0 : a < b ? -sign : sign))
}

function absolute(path: string): string {
  return isAbsolute(path) ? path : `${process.cwd()}${sep}${path}`
}
