// Which snapshots go, when, and what of the log goes with them.
import { describe, expect, it } from 'vitest'
import type { CompactionLimits } from '../../../src/metadata/log/compaction.ts'
import { listSnapshots } from '../../../src/metadata/log/snapshots.ts'
import { nextTurn } from '../../../src/runtime/pace.ts'
import { FOLDER, Rig } from '../metadata-fixture.ts'
import { begin, checkpoints, HOUR, nameOf, SEGMENT } from './compaction-fixture.ts'

describe('old snapshots', () => {
  /** Writes topics with a snapshot after each, and lets retention look at them. */
  async function run(rig: Rig, changes: Partial<CompactionLimits>, topics = 6) {
    const opened = begin(rig, { maxBytesBetweenSnapshots: 1, ...changes })
    for (let topic = 0; topic < topics; topic++) {
      rig.topics(opened.metadata, `topic-${topic}`)
      await nextTurn()
    }
    return opened
  }

  it('go while log and snapshots are too large together, with the segments before the oldest that stays', async () => {
    const rig = new Rig({}, SEGMENT)
    const { log } = await run(rig, { retentionBytes: 7000 })
    expect(checkpoints(rig)).toHaveLength(7)
    const kept = listSnapshots(rig.storage, FOLDER)
    rig.clock.advance(60_000)
    const left = listSnapshots(rig.storage, FOLDER)
    expect(left.length).toBeGreaterThan(1)
    expect(left).toEqual(kept.slice(-left.length))
    expect(log.logStartOffset).toBe(left[0]?.offset)
    expect(log.firstSegmentOffset).toBeGreaterThan(0n)
    expect(log.firstSegmentOffset).toBeLessThanOrEqual(log.logStartOffset)
    const snapshotBytes = left.reduce((sum, { path }) => sum + rig.storage.size(path), 0)
    expect(log.sizeInBytes + snapshotBytes).toBeLessThanOrEqual(7000)
    expect(rig.files().some(name => name.endsWith('.checkpoint.deleted'))).toBe(true)
    rig.clock.advance(60_000)
    await nextTurn()
    expect(rig.files().filter(name => name.includes('deleted'))).toEqual([])
    expect(rig.open().metadata.image.topicsByName.size).toBe(6)
  })

  it('go when they are too old, and another one is there', async () => {
    const rig = new Rig()
    const { log } = await run(rig, { retentionMs: 2 * HOUR }, 1)
    rig.clock.advance(2 * HOUR)
    expect(checkpoints(rig)).toEqual([nameOf(0n, 0), nameOf(log.logEndOffset, 1)])
    rig.clock.advance(60_000)
    expect(checkpoints(rig)).toEqual([nameOf(log.logEndOffset, 1)])
    rig.clock.advance(4 * HOUR)
    expect(checkpoints(rig)).toHaveLength(1)
    expect(rig.open().metadata.image.topicsByName.size).toBe(1)
  })

  it('never go when it is the only one, or when there are no limits', async () => {
    const rig = new Rig()
    await run(rig, { retentionBytes: -1, retentionMs: -1 })
    rig.clock.advance(60_000)
    expect(checkpoints(rig)).toHaveLength(7)
    const small = new Rig()
    begin(small, { retentionBytes: 0, retentionMs: 0 })
    small.clock.advance(60_000)
    expect(checkpoints(small)).toHaveLength(1)
  })

  it('that end before the log begins are removed at the start', async () => {
    const rig = new Rig({}, SEGMENT)
    const { log, metadata } = await run(rig, { retentionBytes: 0 })
    rig.clock.advance(60_000)
    await metadata.close()
    expect(log.firstSegmentOffset).toBeGreaterThan(5n)
    rig.storage.append(`${FOLDER}/${nameOf(5n, 1)}`, Buffer.from('x'))
    rig.storage.append(`${FOLDER}/${nameOf(7n, 1)}.deleted`, Buffer.from('x'))
    const before = checkpoints(rig)
    rig.open()
    expect(checkpoints(rig)).toEqual(before.slice(1))
  })
})
