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

describe('a write', () => {
  it('is one batch, as large as the topic allows', () => {
    journal.maxBytes = bytesOf(commits(3))
    partition.write(commits(3), NOW)
    expect(journal.batches.map(batch => batch.length)).toEqual([3])
  })

  it.each([
    ['several records', 3],
    ['one', 1]
  ])('of %s above that is refused, and changes nothing', (_, count) => {
    journal.maxBytes = bytesOf(commits(count)) - 1
    expect(() => partition.write(commits(count), NOW)).toThrow(tooLarge)
    expect(journal.batches).toEqual([])
    expect(partition.offsets.of('g').size).toBe(0)
  })

  it('that is refused has encoded no more than fits', () => {
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

  it('in parts takes as many batches as it needs, and applies all', () => {
    partition.write(commits(10), NOW)
    journal.maxBytes = 3 * bytesOf(tombstones(1))
    partition.writeInParts(tombstones(10), NOW)
    expect(journal.batches.map(batch => batch.length)).toEqual([10, 3, 3, 3, 1])
    expect(journal.batches.flat().map(record => decodeRecord(record).type)).toHaveLength(20)
    expect(partition.offsets.of('g').size).toBe(0)
  })

  it('in parts that fails has done what came before', () => {
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
