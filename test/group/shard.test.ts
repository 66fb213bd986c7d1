import { beforeEach, describe, expect, it } from 'vitest'
import type { GroupShard } from '../../src/group/operations.ts'
import { decodeRecord, type GroupRecord } from '../../src/group/records.ts'
import { ZERO_UUID } from '../../src/protocol/wire/bytes.ts'
import { MemoryStateLog } from '../coordinator/memory-state-log.ts'
import { ClassicGroupDriver } from './classic/classic-group-driver.ts'
import { groupShard } from './group-shard.ts'

let log: MemoryStateLog
let shard: GroupShard

beforeEach(() => {
  log = new MemoryStateLog()
  shard = groupShard(log)
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
  const probe = new MemoryStateLog()
  groupShard(probe).commit({ records })
  return probe.batches.flat().reduce((sum, { key, value }) => sum + key.length + (value?.length ?? 0), 0)
}

const tooLarge = expect.objectContaining({ code: 'RECORD_LIST_TOO_LARGE' })

describe('writes to a shard of the group coordinator', () => {
  it('a write is one batch up to max.message.bytes', () => {
    log.maxBytes = bytesOf(commits(3))
    shard.commit({ records: commits(3) })
    expect(log.batches.map(batch => batch.length)).toEqual([3])
  })

  it.each([
    ['several records', 3],
    ['one', 1]
  ])('a write of %s above max.message.bytes is refused and changes nothing', (_, count) => {
    log.maxBytes = bytesOf(commits(count)) - 1
    expect(() => shard.commit({ records: commits(count) })).toThrow(tooLarge)
    expect(log.batches).toEqual([])
    expect(shard.state.offsets.of('g').size).toBe(0)
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
    expect(() => shard.commit({ records: counted })).toThrow(tooLarge)
    expect(encoded).toBeLessThan(100)
  })

  it('a write in parts uses as many batches as needed and applies all records', () => {
    shard.commit({ records: commits(10) })
    log.maxBytes = 3 * bytesOf(tombstones(1))
    shard.commitInParts(tombstones(10))
    expect(log.batches.map(batch => batch.length)).toEqual([10, 3, 3, 3, 1])
    expect(log.batches.flat().map(record => decodeRecord(record).type)).toHaveLength(20)
    expect(shard.state.offsets.of('g').size).toBe(0)
  })

  it('a write in parts that fails keeps the batches before the failure', () => {
    shard.commit({ records: commits(4) })
    log.maxBytes = 2 * bytesOf(tombstones(1))
    log.attempted = () => {
      log.failure = new Error('full')
    }
    expect(() => shard.commitInParts(tombstones(4))).toThrow('full')
    expect([...(shard.state.offsets.of('g').get('foo')?.keys() ?? [])]).toEqual([2, 3])
  })
})

it('an operation whose group does not fit into one batch changes nothing', () => {
  const driver = ClassicGroupDriver.stable(['a', 'b'])
  log.maxBytes = 10
  expect(() =>
    driver.operation(operation => {
      operation.recordGroup()
      const { group, records } = operation.result()
      shard.commit({ records, apply: () => shard.state.put(group) })
    })
  ).toThrow(tooLarge)
  expect(shard.state.groups.size).toBe(0)
})
