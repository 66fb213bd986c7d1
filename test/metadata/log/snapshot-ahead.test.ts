// A start that finds a snapshot which does not fit the log beside it, or is damaged.
import { describe, expect, it } from 'vitest'
import { nextTurn } from '../../../src/runtime/pace.ts'
import { contentOf, FOLDER, Rig } from '../metadata-fixture.ts'
import { begin, checkpoints, HOUR, nameOf, newest } from './compaction-fixture.ts'

describe('a snapshot and the log beside it', () => {
  /** A log of which a snapshot has been made. */
  async function withSnapshot() {
    const rig = new Rig()
    const { log, metadata } = begin(rig)
    rig.topics(metadata, 'a')
    rig.clock.advance(HOUR)
    await nextTurn()
    await metadata.close()
    return { rig, metadata, end: log.logEndOffset }
  }

  const put = (rig: Rig, offset: bigint, epoch: number) => {
    const { path } = newest(rig) ?? { path: '' }
    rig.storage.append(`${FOLDER}/${nameOf(offset, epoch)}`, rig.storage.read(path, 0, rig.storage.size(path)))
  }

  it('begins the log again where it does not reach up to the snapshot', async () => {
    const { rig, metadata } = await withSnapshot()
    put(rig, 1000n, 1)
    const { log, metadata: again } = rig.open()
    expect(log.firstSegmentOffset).toBe(1000n)
    expect(contentOf(again.image)).toEqual(contentOf(metadata.image))
    expect(checkpoints(rig)).toEqual([nameOf(1000n, 1)])
    rig.topics(again, 'b')
    expect(rig.open().metadata.image.topicsByName.size).toBe(2)
  })

  it('begins the log again where the snapshot is of a later epoch, even if it ends earlier', async () => {
    const { rig, metadata } = await withSnapshot()
    const { log } = rig.open()
    put(rig, log.logEndOffset - 1n, 9)
    const again = rig.open()
    expect(again.log.firstSegmentOffset).toBe(log.logEndOffset - 1n)
    expect(again.log.leaderEpochs.latest?.epoch).toBe(10)
    expect(contentOf(again.metadata.image)).toEqual(contentOf(metadata.image))
  })

  it('refuses a log that begins after the snapshot ends', async () => {
    const rig = new Rig()
    const { log, metadata } = rig.open()
    rig.topics(metadata, 'a')
    for (const suffix of ['log', 'index', 'timeindex'])
      rig.storage.removeNow(`${FOLDER}/00000000000000000000.${suffix}`)
    const first = rig.storage.list(FOLDER).length
    rig.storage.append(`${FOLDER}/00000000000000000100.log`, Buffer.alloc(0))
    expect(() => rig.open()).toThrow(
      'the metadata log has offsets 100 to 100, which do not follow on its newest snapshot, of offset 0'
    )
    expect(rig.storage.list(FOLDER).length).toBeGreaterThanOrEqual(first)
    expect(log.logEndOffset).toBeGreaterThan(0n)
  })

  it('refuses a snapshot that ends without its footer', async () => {
    const { rig } = await withSnapshot()
    const { path } = newest(rig) ?? { path: '' }
    rig.storage.truncate(path, rig.storage.size(path) - 75)
    expect(() => rig.open()).toThrow(`${path} ends without a footer`)
  })

  it('refuses a snapshot with a flipped bit, whole as it may look', async () => {
    const { rig } = await withSnapshot()
    const { path } = newest(rig) ?? { path: '' }
    const bytes = Buffer.from(rig.storage.read(path, 0, rig.storage.size(path)))
    bytes.writeUInt8(bytes.readUInt8(400) ^ 4, 400)
    rig.storage.removeNow(path)
    rig.storage.append(path, bytes)
    expect(() => rig.open()).toThrow('does not fit')
  })
})
