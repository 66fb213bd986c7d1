/** Transaction indexes: their bytes, and their recovery after faults of the log. */

import { describe, expect, test } from 'vitest'
import { verify } from '../../../src/dump/checks/verify.ts'
import { textOf } from '../../../src/dump/items.ts'
import type { PartitionLog } from '../../../src/log/partition-log/partition-log.ts'
import { recoverPartition } from '../../../src/log/recovery/recovery.ts'
import { segmentPath } from '../../../src/log/segment/segment-names.ts'
import {
  type AbortedTxn,
  TransactionIndex,
  transactionIndexProblem
} from '../../../src/log/segment/transaction-index.ts'
import { MemoryStorage } from '../../../src/storage/memory-storage.ts'
import { StorageError } from '../../../src/storage/storage.ts'
import { RecordingEvents } from '../../../src/testing/recording-events.ts'
import { options } from '../../dump/folder.ts'
import { hex } from '../../protocol/records/vectors.ts'
import { type Cause, dieEverywhere } from '../../sim/death.ts'
import { committed, end, openPartition, write } from '../cleaner/transactional.ts'
import { FOLDER, logOptions } from '../log-fixture.ts'

const PATH = segmentPath(FOLDER, 0n, 'txnindex')
const ENTRY = hex('0000 00000000000003e8 000000000000000a 000000000000000f 0000000000000010')
const ABORTED: AbortedTxn = { producerId: 1000n, firstOffset: 10n, lastOffset: 15n, lastStableOffset: 16n }
const at = (lastOffset: bigint): AbortedTxn => ({ ...ABORTED, firstOffset: lastOffset - 2n, lastOffset })

function emptyIndex() {
  const storage = new MemoryStorage()
  storage.makeDirectory(FOLDER)
  return { storage, index: new TransactionIndex(storage, PATH) }
}

describe('a transaction index', () => {
  test("a transaction index has Kafka's bytes, and no file before its first entry", () => {
    const { storage, index } = emptyIndex()
    expect([...index.from(0n)]).toEqual([])
    expect(storage.exists(PATH)).toBe(false)
    index.add(ABORTED)
    expect(storage.read(PATH, 0, 100)).toEqual(ENTRY)
    expect([...new TransactionIndex(storage, PATH).from(0n)]).toEqual([ABORTED])
  })

  test('a transaction index is read from any marker on, however many entries it has', () => {
    const { storage, index } = emptyIndex()
    const all = Array.from({ length: 300 }, (_, number) => at(BigInt(10 + 3 * number)))
    for (const transaction of all) index.add(transaction)
    const again = new TransactionIndex(storage, PATH)
    for (const offset of [0n, 10n, 11n, 13n, 400n, 907n, 908n]) {
      expect([...again.from(offset)]).toEqual(all.filter(({ lastOffset }) => lastOffset >= offset))
    }
  })

  test('a transaction index stores an entry that is added twice only once', () => {
    const { storage, index } = emptyIndex()
    for (const offset of [10n, 20n, 10n, 20n]) index.add(at(offset))
    new TransactionIndex(storage, PATH).add(at(20n))
    expect([...index.from(0n)].map(({ lastOffset }) => lastOffset)).toEqual([10n, 20n])
  })

  test.each([
    ['half an entry', ENTRY.subarray(0, 20), /middle of an entry/],
    ['an entry of the future', Buffer.concat([hex('0001'), ENTRY.subarray(2)]), /version 1/],
    ['an entry twice', Buffer.concat([ENTRY, ENTRY]), /invalid entry/],
    [
      'an end before the beginning',
      hex('0000 0000000000000001 0000000000000014 000000000000000f 0000000000000010'),
      /invalid entry$/
    ]
  ])('a transaction index with %s is refused', (_, bytes, message) => {
    const { storage } = emptyIndex()
    storage.append(PATH, bytes)
    expect(transactionIndexProblem(storage, PATH, 0n)).toMatch(message)
  })

  test('a transaction index of another segment is refused', () => {
    const { storage } = emptyIndex()
    storage.append(PATH, ENTRY)
    expect(transactionIndexProblem(storage, PATH, 0n)).toBeUndefined()
    expect(transactionIndexProblem(storage, PATH, 16n)).toMatch(/invalid entry/)
  })
})

const SMALL = { segmentBytes: 500, isCompacted: false, isDeleted: true }

/** Two producers over several segments: each transaction of the first is aborted, each of the second committed. */
function tell(partition: ReturnType<typeof openPartition>, from: number, to: number): void {
  for (let number = from; number < to; number++) {
    const producer = (producerId: bigint) => ({
      producerId,
      producerEpoch: 0,
      baseSequence: number,
      isTransactional: true
    })
    write(partition.log, [['k', `aborted ${number}`]], producer(1n))
    write(partition.log, [['k', `kept ${number}`]], producer(2n))
    end(partition, 1n, 'ABORT')
    end(partition, 2n, 'COMMIT')
  }
}

const visible = (log: PartitionLog) => [...committed(log, 0n, 300)].map(({ entry: [, value] }) => value)
const kept = (count: number) => Array.from({ length: count }, (_, number) => `kept ${number}`)
const lists = (storage: MemoryStorage) =>
  storage.list(FOLDER).flatMap(({ name }) => {
    const path = `${FOLDER}/${name}`
    return name.endsWith('.txnindex') ? [[name, storage.read(path, 0, storage.size(path)).toString('hex')]] : []
  })

async function written() {
  const storage = new MemoryStorage()
  const partition = openPartition(storage, SMALL)
  tell(partition, 0, 10)
  expect(partition.log.segments.length).toBeGreaterThan(4)
  return { storage, partition, before: lists(storage) }
}

describe('transaction indexes after a crash', () => {
  test('recovery rebuilds all transaction indexes byte for byte, and readers see no aborted record', async () => {
    const { storage, before } = await written()
    for (const [name] of before) storage.removeNow(`${FOLDER}/${name}`)
    const { log } = openPartition(storage, SMALL, 'death')
    expect(lists(storage)).toEqual(before)
    expect(visible(log)).toEqual(kept(10))
  })

  test('a rebuilt transaction index stays the same after a second recovery', async () => {
    const { storage, before } = await written()
    openPartition(storage, SMALL, 'death')
    tell(openPartition(storage, SMALL, 'death'), 10, 11)
    expect(lists(storage).slice(0, before.length - 1)).toEqual(before.slice(0, -1))
    expect(visible(openPartition(storage, SMALL, 'death').log)).toEqual(kept(11))
  })

  test('a stop between recovery and the first use loses no entry', async () => {
    const { storage, before } = await written()
    const { indexIntervalBytes } = logOptions(storage).config
    const recover = {
      storage,
      folder: FOLDER,
      indexIntervalBytes,
      lossesFrom: undefined,
      nowMs: 0,
      events: new RecordingEvents()
    }
    recoverPartition({ ...recover, recoveryPoint: 0n })
    recoverPartition({ ...recover, recoveryPoint: 'end' })
    expect(visible(openPartition(storage, SMALL).log)).toEqual(kept(10))
    expect(lists(storage)).toEqual(before)
  })
})

test('a damaged transaction index is rebuilt after a clean stop, also that of a segment in the middle', async () => {
  const { storage, partition, before } = await written()
  await partition.log.close()
  const [name] = before[2] ?? []
  storage.append(`${FOLDER}/${name}`, Buffer.from('?'))
  const { indexIntervalBytes } = logOptions(storage).config
  const recover = {
    storage,
    folder: FOLDER,
    indexIntervalBytes,
    lossesFrom: undefined,
    nowMs: 0,
    events: new RecordingEvents()
  }
  recoverPartition({ ...recover, recoveryPoint: 'end' })
  const { log } = openPartition(storage, SMALL)
  expect(lists(storage)).toEqual(before)
  expect(visible(log)).toEqual(kept(10))
})

test('an abort that cannot be written to the index takes the log offline, and the next start has its entry', () => {
  let isFull = false
  const storage = new MemoryStorage({
    fault: ({ name, path }) =>
      isFull && name === 'append' && path.endsWith('.txnindex')
        ? { error: new StorageError('full', 'no room') }
        : undefined
  })
  const partition = openPartition(storage, SMALL)
  tell(partition, 0, 1)
  write(partition.log, [['k', 'aborted']], { producerId: 1n, producerEpoch: 0, baseSequence: 1, isTransactional: true })
  isFull = true
  expect(() => end(partition, 1n, 'ABORT')).toThrow(expect.objectContaining({ code: 'KAFKA_STORAGE_ERROR' }))
  expect(partition.log.isOffline).toBe(true)
  isFull = false
  expect(visible(openPartition(storage, SMALL, 'death').log)).toEqual(['kept 0'])
})

const CAUSES: Cause[] = ['process death', 'power loss', 'power loss without a journal of names']

test.each(CAUSES)('a fault (%s) at any operation shows readers no aborted record', async cause => {
  const operations = await dieEverywhere(cause, {
    witness: () => ({}),
    script: async ({ storage }) => {
      const partition = openPartition(storage, SMALL)
      tell(partition, 0, 4)
      await partition.log.close()
      tell(openPartition(storage, SMALL), 4, 7)
    },
    check: async left => {
      const { log } = openPartition(left, SMALL, 'death')
      expect(visible(log).filter(value => value?.startsWith('aborted'))).toEqual([])
      await log.close()
      expect([...verify(left, [FOLDER], options())].map(textOf)).toEqual([expect.stringMatching(/no problems found$/)])
    }
  })
  expect(operations).toBeGreaterThan(50)
})
