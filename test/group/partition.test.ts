import { beforeEach, describe, expect, it } from 'vitest'
import { recordGroup } from '../../src/group/classic/operation.ts'
import { coordinatorResultOf } from '../../src/group/coordinator-result.ts'
import { GroupPartition } from '../../src/group/partition.ts'
import { decodeRecord, type GroupRecord } from '../../src/group/records.ts'
import { ZERO_UUID } from '../../src/protocol/wire/bytes.ts'
import { silentLogger } from '../../src/runtime/logger.ts'
import { runAtOnce } from '../../src/runtime/pace.ts'
import { MemoryJournal } from '../coordinator/memory-journal.ts'
import { ClassicGroupDriver } from './classic/classic-group-driver.ts'

const NOW = 1_700_000_000_000

let journal: MemoryJournal
let partition: GroupPartition

beforeEach(() => {
  journal = new MemoryJournal()
  partition = runAtOnce(GroupPartition.load(journal, NOW, silentLogger))
})

function commits(count: number, group = 'g'): GroupRecord[] {
  const value = { offset: 1n, leaderEpoch: 0, metadata: '', commitTimestamp: 0n, expireTimestamp: -1n }
  return Array.from({ length: count }, (_, index) => ({
    type: 'OffsetCommit',
    key: { group, topic: 'foo', partition: index },
    value: { ...value, topicId: ZERO_UUID }
  }))
}

const tombstones = (count: number): GroupRecord[] =>
  commits(count).flatMap(record => (record.type === 'OffsetCommit' ? [{ ...record, value: null }] : []))

const bytesOf = (records: readonly GroupRecord[]) => {
  const probe = new MemoryJournal()
  runAtOnce(GroupPartition.load(probe, NOW, silentLogger)).write(records, NOW)
  return probe.batches.flat().reduce((sum, { key, value }) => sum + key.length + (value?.length ?? 0), 0)
}

const tooLarge = expect.objectContaining({ code: 'RECORD_LIST_TOO_LARGE' })

describe('writes to a partition of __consumer_offsets', () => {
  it('a write is one batch up to max.message.bytes', () => {
    journal.maxBytes = bytesOf(commits(3))
    partition.write(commits(3), NOW)
    expect(journal.batches.map(batch => batch.length)).toEqual([3])
  })

  it.each([
    ['several records', 3],
    ['one', 1]
  ])('a write of %s above max.message.bytes is refused and changes nothing', (_, count) => {
    journal.maxBytes = bytesOf(commits(count)) - 1
    expect(() => partition.write(commits(count), NOW)).toThrow(tooLarge)
    expect(journal.batches).toEqual([])
    expect(partition.offsets.of('g').size).toBe(0)
  })

  it('a refused write encodes no more records than fit into a batch', () => {
    const group = 'g'.repeat(30_000)
    let encoded = 0
    const counted = commits(20_000, group).map(record => ({
      ...record,
      get key() {
        encoded++
        return record.key
      }
    })) as GroupRecord[]
    expect(() => partition.write(counted, NOW)).toThrow(tooLarge)
    expect(encoded).toBeLessThan(100)
  })

  it('a write in parts uses as many batches as needed and applies all records', () => {
    partition.write(commits(10), NOW)
    journal.maxBytes = 3 * bytesOf(tombstones(1))
    partition.writeInParts(tombstones(10), NOW)
    expect(journal.batches.map(batch => batch.length)).toEqual([10, 3, 3, 3, 1])
    expect(journal.batches.flat().map(record => decodeRecord(record).type)).toHaveLength(20)
    expect(partition.offsets.of('g').size).toBe(0)
  })

  it('a write in parts that fails keeps the batches before the failure', () => {
    partition.write(commits(4), NOW)
    journal.maxBytes = 2 * bytesOf(tombstones(1))
    journal.attempted = () => {
      journal.failure = new Error('full')
    }
    expect(() => partition.writeInParts(tombstones(4), NOW)).toThrow('full')
    expect([...(partition.offsets.of('g').get('foo')?.keys() ?? [])]).toEqual([2, 3])
  })
})

it('an operation whose group does not fit into one batch changes nothing', () => {
  const driver = ClassicGroupDriver.stable(['a', 'b'])
  journal.maxBytes = 10
  expect(() =>
    driver.operation(operation => {
      recordGroup(operation)
      partition.conclude(coordinatorResultOf(operation))
    })
  ).toThrow(tooLarge)
  expect(partition.groups.size).toBe(0)
})
