import { expect, test } from 'vitest'
import {
  type JournalReader,
  type JournalRecord,
  journalBatch,
  replayJournal
} from '../../../src/log/partition-log/journal.ts'
import type { PartitionLog } from '../../../src/log/partition-log/partition-log.ts'
import { CorruptRecordError } from '../../../src/protocol/records/batch.ts'
import { buildEndTxnMarker } from '../../../src/protocol/records/control.ts'
import { MalformedFrame } from '../../../src/protocol/wire/bytes.ts'
import { runAtOnce } from '../../../src/runtime/pace.ts'
import { MemoryStorage } from '../../../src/storage/memory-storage.ts'
import { batchOf, FOLDER, openLog } from '../log-fixture.ts'

const NOW = 1_700_000_000_000
const LEADER_EPOCH = 7

function logOn(storage = new MemoryStorage()): PartitionLog {
  return openLog(storage, { segmentBytes: 400 })
}

function append(log: PartitionLog, ...records: JournalRecord[]) {
  return log.append(journalBatch(records, NOW, {}), LEADER_EPOCH)
}

function replayed(log: PartitionLog): string[] {
  const lines: string[] = []
  const reader: JournalReader = {
    record: ({ offset: at, key, value, timestamp }, { partitionLeaderEpoch }) =>
      lines.push(`${at} ${key}=${value} at ${timestamp} epoch ${partitionLeaderEpoch}`),
    control: batch => lines.push(`${batch.baseOffset} control of ${batch.producerId}`)
  }
  runAtOnce(replayJournal(log, reader))
  return lines
}

function pair(key: string, value: string | null) {
  return { key: Buffer.from(key), value: value === null ? null : Buffer.from(value) }
}

test('a replay returns appended batches in order, including control batches, also after a restart', async () => {
  const storage = new MemoryStorage()
  const log = logOn(storage)
  const marker = { producerId: 9n, producerEpoch: 0, coordinatorEpoch: 0, timestamp: 5n }
  expect(append(log, pair('a', '1'), pair('b', null))).toMatchObject({ baseOffset: 0n, lastOffset: 1n })
  log.append(buildEndTxnMarker({ ...marker, result: 'COMMIT' }), LEADER_EPOCH)
  append(log, pair('c', '3'))
  const lines = [
    '0 a=1 at 1700000000000 epoch 7',
    '1 b=null at 1700000000000 epoch 7',
    '2 control of 9',
    '3 c=3 at 1700000000000 epoch 7'
  ]
  expect(replayed(log)).toEqual(lines)
  await log.close()
  expect(replayed(logOn(storage))).toEqual(lines)
})

test('a replay begins at the log start offset, which may be in the middle of a batch', () => {
  const log = logOn()
  append(log, pair('a', '1'), pair('b', '2'), pair('c', '3'))
  append(log, pair('d', '4'))
  log.moveLogStart(2n)
  expect(replayed(log).map(line => line.slice(0, 5))).toEqual(['2 c=3', '3 d=4'])
})

test('a damaged batch ends the replay with an error that names its offset', () => {
  const storage = new MemoryStorage()
  const log = logOn(storage)
  append(log, pair('a', '1'))
  append(log, pair('b', '2'))
  const path = `${FOLDER}/00000000000000000000.log`
  const bytes = Buffer.from(storage.read(path, 0, storage.size(path)))
  bytes.writeUInt8(bytes.readUInt8(bytes.length - 1) ^ 1, bytes.length - 1)
  storage.truncate(path, 0)
  storage.append(path, bytes)
  expect(() => replayed(log)).toThrow(CorruptRecordError)
  expect(() => replayed(log)).toThrow(/00000000000000000000.log, position \d+: the checksum is wrong/)
})

test('records that cannot be parsed end the replay with an error that names their offset', () => {
  const log = logOn()
  append(log, pair('a', '1'))
  append(log, pair('b', '2'))
  const refusing: JournalReader = {
    record: ({ offset }) => {
      if (offset === 1n) throw new MalformedFrame('a value of the unknown version 9')
    }
  }
  expect(() => runAtOnce(replayJournal(log, refusing))).toThrow(`${FOLDER}, offset 1: a value of the unknown version 9`)
  const uncounted = batchOf([1n])
  uncounted.bytes.writeInt32BE(7, 57)
  uncounted.seal()
  log.append(uncounted, LEADER_EPOCH)
  expect(() => replayed(log)).toThrow(`${FOLDER}, offset 2: `)
})
