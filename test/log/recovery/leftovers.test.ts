/** Files that a dead process left in a partition folder, and their treatment at the next start. */

import { beforeEach, expect, test } from 'vitest'
import type { Events } from '../../../src/events/event.ts'
import { clearLeftovers } from '../../../src/log/recovery/leftovers.ts'
import { segmentPath } from '../../../src/log/segment/segment-names.ts'
import { MemoryStorage } from '../../../src/storage/memory-storage.ts'
import { RecordingEvents } from '../../../src/testing/recording-events.ts'
import { batchOf, FOLDER, T0 } from '../log-fixture.ts'

let storage: MemoryStorage
let discarded: string[]

beforeEach(() => {
  storage = new MemoryStorage()
  storage.makeDirectory(FOLDER)
  discarded = []
})

function clear(events: Events = new RecordingEvents()): string[] {
  clearLeftovers({ storage, folder: FOLDER, events, discard: path => discarded.push(path) })
  return storage.list(FOLDER).map(({ name }) => name.replace(/^0+(?=\d)/, ''))
}

function put(...names: string[]): void {
  for (const name of names) {
    const [digits = '', rest] = name.split(/\.(.*)/)
    storage.append(`${FOLDER}/${digits.padStart(20, '0')}.${rest}`, Buffer.from('x'))
  }
}

/** A log file of one batch with the given number of records. */
function putLog(baseOffset: bigint, stage: '' | '.swap', count = 1): void {
  const batch = batchOf(Array(count).fill(T0))
  batch.stamp(baseOffset, 0)
  storage.append(segmentPath(FOLDER, baseOffset, 'log', stage), batch.bytes)
}

test('files with the suffix .deleted are removed', () => {
  putLog(5n, '')
  put('0.log.deleted', '0.index.deleted', '0.snapshot.deleted')
  clear()
  expect(discarded).toEqual(
    (['index', 'log', 'snapshot'] as const).map(suffix => segmentPath(FOLDER, 0n, suffix, '.deleted'))
  )
})

test('incomplete cleaner results and temporary files are removed, and all other files stay', () => {
  putLog(0n, '')
  put('0.log.cleaned', '0.index.cleaned', '0.timeindex.cleaned', '0.txnindex.cleaned', '0.index', '7.snapshot.tmp')
  for (const name of ['leader-epoch-checkpoint.tmp', 'partition.metadata.tmp', 'partition.metadata', 'notes.txt']) {
    storage.append(`${FOLDER}/${name}`, Buffer.from('x'))
  }
  expect(clear()).toEqual(['0.index', '0.log', 'notes.txt', 'partition.metadata'])
})

test('index files without a log are removed with an event about the log, and producer snapshots stay', () => {
  put('3.index', '3.timeindex', '3.txnindex', '3.snapshot')
  const events = new RecordingEvents()
  expect(clear(events)).toEqual(['3.snapshot'])
  const paths = (['index', 'timeindex', 'txnindex'] as const).map(kind => segmentPath(FOLDER, 3n, kind))
  expect(events.all).toEqual([{ type: 'OrphanedIndexesRemoved', topicPartition: FOLDER, paths }])
})

test('a complete cleaner result replaces all segments that it was made from', () => {
  for (const base of [0n, 3n, 6n, 9n]) putLog(base, '')
  put('0.index', '3.index', '6.index', '9.index', '3.snapshot', '9.snapshot')
  putLog(0n, '.swap', 9)
  put('0.index.swap', '0.timeindex.swap')
  expect(clear()).toEqual(['0.index', '0.log', '0.timeindex', '3.snapshot', '9.index', '9.log', '9.snapshot'])
  expect(storage.size(segmentPath(FOLDER, 0n, 'log'))).toBe(batchOf(Array(9).fill(T0)).sizeInBytes)
})

test('a replacement that was interrupted after the log had its name is completed', () => {
  putLog(0n, '', 9)
  putLog(9n, '')
  put('9.index', '0.index.swap', '0.timeindex.swap')
  expect(clear()).toEqual(['0.index', '0.log', '0.timeindex', '9.index', '9.log'])
})

test('results after an incomplete one are not used', () => {
  for (const base of [0n, 5n]) putLog(base, '')
  put('0.index', '5.index', '0.log.cleaned', '0.index.cleaned', '5.index.swap')
  putLog(5n, '.swap')
  expect(clear()).toEqual(['0.index', '0.log', '5.index', '5.log'])
})

test('a result before an incomplete one is used', () => {
  for (const base of [0n, 2n, 5n]) putLog(base, '')
  put('0.index', '2.index', '5.index', '5.log.cleaned')
  putLog(0n, '.swap', 5)
  put('0.index.swap')
  expect(clear()).toEqual(['0.index', '0.log', '5.index', '5.log'])
})

test('a crash at any step of the treatment does no harm', () => {
  const names = () => {
    for (const base of [0n, 3n, 6n, 9n]) putLog(base, '')
    put('0.index', '3.index', '6.index', '9.index')
    putLog(0n, '.swap', 3)
    putLog(3n, '.swap', 6)
    put('0.index.swap', '3.index.swap', '9.log.deleted')
  }
  names()
  const expected = clear()
  expect(expected).toEqual(['0.index', '0.log', '3.index', '3.log', '9.index', '9.log', '9.log.deleted'])
  for (let at = 1; ; at++) {
    let done = Number.NEGATIVE_INFINITY
    storage = new MemoryStorage({
      fault: () => {
        if (++done > at) throw new Error('the process is gone')
        return undefined
      }
    })
    storage.makeDirectory(FOLDER)
    names()
    done = 0
    let isComplete = true
    try {
      clear()
    } catch {
      isComplete = false
    }
    done = Number.NEGATIVE_INFINITY
    const left = clear()
    const logs = (found: string[]) => found.filter(name => name.endsWith('.log'))
    expect(logs(left), `after ${at} operations`).toEqual(logs(expected))
    expect(left.filter(name => name.endsWith('.swap'))).toEqual([])
    expect(storage.size(segmentPath(FOLDER, 3n, 'log'))).toBe(batchOf(Array(6).fill(T0)).sizeInBytes)
    if (isComplete) break
  }
})
