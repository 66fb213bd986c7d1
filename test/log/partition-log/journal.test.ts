import { expect, test } from 'vitest'
import { Journal, type JournalReader } from '../../../src/log/partition-log/journal.ts'
import { CorruptRecordError } from '../../../src/protocol/records/batch.ts'
import { buildEndTxnMarker } from '../../../src/protocol/records/control.ts'
import { MalformedFrame } from '../../../src/protocol/wire/bytes.ts'
import { runAtOnce } from '../../../src/runtime/pace.ts'
import { MemoryStorage } from '../../../src/storage/memory-storage.ts'
import { ManualClock } from '../../../src/testing/manual-clock.ts'
import { batchOf, FOLDER, openLog } from '../log-fixture.ts'

function journalOn(storage = new MemoryStorage()): Journal {
  return new Journal(openLog(storage, { segmentBytes: 400 }), new ManualClock().wall, 7)
}

function replayed(journal: Journal, offset?: bigint): string[] {
  const lines: string[] = []
  const reader: JournalReader = {
    record: ({ offset: at, key, value, timestamp }, { partitionLeaderEpoch }) =>
      lines.push(`${at} ${key}=${value} at ${timestamp} epoch ${partitionLeaderEpoch}`),
    control: batch => lines.push(`${batch.baseOffset} control of ${batch.producerId}`)
  }
  runAtOnce(journal.replay(reader, offset))
  return lines
}

function pair(key: string, value: string | null) {
  return { key: Buffer.from(key), value: value === null ? null : Buffer.from(value) }
}

test('a replay returns appended batches in order, including control batches, also after a restart', async () => {
  const storage = new MemoryStorage()
  const journal = journalOn(storage)
  const marker = { producerId: 9n, producerEpoch: 0, coordinatorEpoch: 0, timestamp: 5n }
  expect(journal.append([pair('a', '1'), pair('b', null)])).toMatchObject({ baseOffset: 0n, lastOffset: 1n })
  journal.appendBatch(buildEndTxnMarker({ ...marker, result: 'COMMIT' }))
  journal.append([pair('c', '3')])
  const lines = [
    '0 a=1 at 1700000000000 epoch 7',
    '1 b=null at 1700000000000 epoch 7',
    '2 control of 9',
    '3 c=3 at 1700000000000 epoch 7'
  ]
  expect(replayed(journal)).toEqual(lines)
  await journal.log.close()
  expect(replayed(journalOn(storage))).toEqual(lines)
})

test('a replay may begin in the middle of a batch', () => {
  const journal = journalOn()
  journal.append([pair('a', '1'), pair('b', '2'), pair('c', '3')])
  journal.append([pair('d', '4')])
  expect(replayed(journal, 2n).map(line => line.slice(0, 5))).toEqual(['2 c=3', '3 d=4'])
})

test('a damaged batch ends the replay with an error that names its offset', () => {
  const storage = new MemoryStorage()
  const journal = journalOn(storage)
  journal.append([pair('a', '1')])
  journal.append([pair('b', '2')])
  const path = `${FOLDER}/00000000000000000000.log`
  const bytes = Buffer.from(storage.read(path, 0, storage.size(path)))
  bytes.writeUInt8(bytes.readUInt8(bytes.length - 1) ^ 1, bytes.length - 1)
  storage.truncate(path, 0)
  storage.append(path, bytes)
  expect(() => replayed(journal)).toThrow(CorruptRecordError)
  expect(() => replayed(journal)).toThrow(/00000000000000000000.log, position \d+: the checksum does not fit/)
})

test('records that cannot be parsed end the replay with an error that names their offset', () => {
  const journal = journalOn()
  journal.append([pair('a', '1')])
  journal.append([pair('b', '2')])
  const refusing: JournalReader = {
    record: ({ offset }) => {
      if (offset === 1n) throw new MalformedFrame('a value of the unknown version 9')
    }
  }
  expect(() => runAtOnce(journal.replay(refusing))).toThrow(`${FOLDER}, offset 1: a value of the unknown version 9`)
  const uncounted = batchOf([1n])
  uncounted.bytes.writeInt32BE(7, 57)
  uncounted.seal()
  journal.appendBatch(uncounted)
  expect(() => replayed(journal)).toThrow(`${FOLDER}, offset 2: `)
})
