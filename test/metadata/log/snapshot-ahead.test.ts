// A start with a snapshot that does not fit the log or is damaged.
import { describe, expect, it } from 'vitest'
import { yieldToEventLoop } from '../../../src/runtime/pace.ts'
import { begin, checkpoints, HOUR, nameOf, newest } from './compaction-fixture.ts'
import { contentOf, FOLDER, MetadataLogDriver } from './metadata-log-driver.ts'

describe('a start with a snapshot and a log', () => {
  /** A log with a snapshot. */
  async function withSnapshot() {
    const driver = new MetadataLogDriver()
    const { log, metadata, compaction } = begin(driver)
    driver.createTopics(metadata, 'a')
    driver.clock.advance(HOUR)
    await yieldToEventLoop()
    await driver.background.stop()
    await compaction.close()
    return { driver, metadata, end: log.logEndOffset }
  }

  const put = (driver: MetadataLogDriver, offset: bigint, epoch: number) => {
    const { path } = newest(driver) ?? { path: '' }
    driver.storage.append(`${FOLDER}/${nameOf(offset, epoch)}`, driver.storage.read(path, 0, driver.storage.size(path)))
  }

  it('begins a new log after the snapshot when the log ends before the snapshot', async () => {
    const { driver, metadata } = await withSnapshot()
    put(driver, 1000n, 1)
    const { log, metadata: again } = driver.open()
    expect(log.firstSegmentOffset).toBe(1000n)
    expect(contentOf(again.image)).toEqual(contentOf(metadata.image))
    expect(checkpoints(driver)).toEqual([nameOf(1000n, 1)])
    driver.createTopics(again, 'b')
    expect(driver.open().metadata.image.topicsByName.size).toBe(2)
  })

  it('begins a new log after a snapshot of a later epoch, even if the snapshot ends earlier', async () => {
    const { driver, metadata } = await withSnapshot()
    const { log } = driver.open()
    put(driver, log.logEndOffset - 1n, 9)
    const again = driver.open()
    expect(again.log.firstSegmentOffset).toBe(log.logEndOffset - 1n)
    expect(again.log.leaderEpochs.latest?.epoch).toBe(10)
    expect(contentOf(again.metadata.image)).toEqual(contentOf(metadata.image))
  })

  it('refuses a log that begins after the end of the snapshot', async () => {
    const driver = new MetadataLogDriver()
    const { log, metadata } = driver.open()
    driver.createTopics(metadata, 'a')
    for (const suffix of ['log', 'index', 'timeindex'])
      driver.storage.removeNow(`${FOLDER}/00000000000000000000.${suffix}`)
    const first = driver.storage.list(FOLDER).length
    driver.storage.append(`${FOLDER}/00000000000000000100.log`, Buffer.alloc(0))
    expect(() => driver.open()).toThrow(
      'the metadata log has offsets 100 to 100, which do not continue its newest snapshot, which ends at offset 0'
    )
    expect(driver.storage.list(FOLDER).length).toBeGreaterThanOrEqual(first)
    expect(log.logEndOffset).toBeGreaterThan(0n)
  })

  it('refuses a snapshot without a footer', async () => {
    const { driver } = await withSnapshot()
    const { path } = newest(driver) ?? { path: '' }
    driver.storage.truncate(path, driver.storage.size(path) - 75)
    expect(() => driver.open()).toThrow(`${path} has no footer record at its end`)
  })

  it('refuses a snapshot with a flipped bit, even if its length is right', async () => {
    const { driver } = await withSnapshot()
    const { path } = newest(driver) ?? { path: '' }
    const bytes = Buffer.from(driver.storage.read(path, 0, driver.storage.size(path)))
    bytes.writeUInt8(bytes.readUInt8(400) ^ 4, 400)
    driver.storage.removeNow(path)
    driver.storage.append(path, bytes)
    expect(() => driver.open()).toThrow('checksum is wrong')
  })
})
