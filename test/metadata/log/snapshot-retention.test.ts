// Deletion of snapshots, and of the log segments before the oldest remaining snapshot.
import { describe, expect, it } from 'vitest'
import { listSnapshots } from '../../../src/metadata/log/snapshots.ts'
import { yieldToEventLoop } from '../../../src/runtime/pace.ts'
import type { Given } from '../../config/settings-with.ts'
import { begin, checkpoints, HOUR, nameOf, SEGMENT } from './compaction-fixture.ts'
import { FOLDER, MetadataLogDriver } from './metadata-log-driver.ts'

describe('old snapshots', () => {
  /** Creates topics with a snapshot after each one, then runs retention. */
  async function run(driver: MetadataLogDriver, changes: Given, topics = 6) {
    const opened = begin(driver, { 'metadata.log.max.record.bytes.between.snapshots': 1, ...changes })
    for (let topic = 0; topic < topics; topic++) {
      driver.createTopics(opened.metadata, `topic-${topic}`)
      await yieldToEventLoop()
    }
    return opened
  }

  it('are deleted while log and snapshots exceed the size limit, with the segments before the oldest remaining one', async () => {
    const driver = new MetadataLogDriver({}, SEGMENT)
    const { log } = await run(driver, { 'metadata.max.retention.bytes': 7000 })
    expect(checkpoints(driver)).toHaveLength(7)
    const kept = listSnapshots(driver.storage, FOLDER)
    driver.clock.advance(60_000)
    const left = listSnapshots(driver.storage, FOLDER)
    expect(left.length).toBeGreaterThan(1)
    expect(left).toEqual(kept.slice(-left.length))
    expect(log.logStartOffset).toBe(left[0]?.offset)
    expect(log.firstSegmentOffset).toBeGreaterThan(0n)
    expect(log.firstSegmentOffset).toBeLessThanOrEqual(log.logStartOffset)
    const snapshotBytes = left.reduce((sum, { path }) => sum + driver.storage.size(path), 0)
    expect(log.sizeInBytes + snapshotBytes).toBeLessThanOrEqual(7000)
    expect(driver.files().some(name => name.endsWith('.checkpoint.deleted'))).toBe(true)
    driver.clock.advance(60_000)
    await yieldToEventLoop()
    expect(driver.files().filter(name => name.includes('deleted'))).toEqual([])
    expect(driver.open().metadata.image.topicsByName.size).toBe(6)
  })

  it('are deleted when they exceed the age limit and a newer one exists', async () => {
    const driver = new MetadataLogDriver()
    const { log } = await run(driver, { 'metadata.max.retention.ms': 2 * HOUR }, 1)
    driver.clock.advance(2 * HOUR)
    expect(checkpoints(driver)).toEqual([nameOf(0n, 0), nameOf(log.logEndOffset, 1)])
    driver.clock.advance(60_000)
    expect(checkpoints(driver)).toEqual([nameOf(log.logEndOffset, 1)])
    driver.clock.advance(4 * HOUR)
    expect(checkpoints(driver)).toHaveLength(1)
    expect(driver.open().metadata.image.topicsByName.size).toBe(1)
  })

  it('are never deleted when only one exists, or without limits', async () => {
    const driver = new MetadataLogDriver()
    await run(driver, { 'metadata.max.retention.bytes': -1, 'metadata.max.retention.ms': -1 })
    driver.clock.advance(60_000)
    expect(checkpoints(driver)).toHaveLength(7)
    const small = new MetadataLogDriver()
    begin(small, { 'metadata.max.retention.bytes': 0, 'metadata.max.retention.ms': 0 })
    small.clock.advance(60_000)
    expect(checkpoints(small)).toHaveLength(1)
  })

  it('that end before the start of the log are deleted by the start of the broker', async () => {
    const driver = new MetadataLogDriver({}, SEGMENT)
    const { log, compaction } = await run(driver, { 'metadata.max.retention.bytes': 0 })
    driver.clock.advance(60_000)
    await driver.background.stop()
    await compaction.close()
    expect(log.firstSegmentOffset).toBeGreaterThan(5n)
    driver.storage.append(`${FOLDER}/${nameOf(5n, 1)}`, Buffer.from('x'))
    driver.storage.append(`${FOLDER}/${nameOf(7n, 1)}.deleted`, Buffer.from('x'))
    const before = checkpoints(driver)
    driver.open()
    expect(checkpoints(driver)).toEqual(before.slice(1))
  })
})
