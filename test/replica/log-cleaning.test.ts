// The cleaner of logs, as a broker runs it.
import { describe, expect, it } from 'vitest'
import { buildBatch } from '../../src/protocol/records/builder.ts'
import { nextTurn } from '../../src/runtime/clock.ts'
import { alter, BACKOFF_MS, COMPACTED, Rig } from './cleaning-rig.ts'

describe('the cleaner of logs', () => {
  it('compacts what is dirty after its back-off, says so in one line, and notes how far it came', async () => {
    const rig = new Rig()
    await rig.start()
    const topicId = await rig.harness.createTopic('t', 1, COMPACTED)
    for (const text of ['a=1', 'a=2', 'b=1', 'a=3', 'c=1']) await rig.produce(topicId, [text])
    await rig.cleanerPass(BACKOFF_MS - 1)
    expect(await rig.records(topicId)).toHaveLength(5)
    await rig.cleanerPass(1)
    expect(await rig.records(topicId)).toEqual(['2 b=1', '3 a=3', '4 c=1'])
    expect(rig.cleanerCheckpoint()).toBe('0\n1\nt 0 4\n')
    expect(rig.logger.linesWith('compacted')).toEqual([
      {
        level: 'info',
        message: 'a log was compacted',
        bindings: expect.objectContaining({ folder: 't-0', bytesBefore: 280, recordsDropped: 2 })
      }
    ])
    await rig.harness.broker.stop()
    expect(rig.files('t-0').filter(name => name.endsWith('.cleaned') || name.endsWith('.swap'))).toEqual([])
  })

  it('rests while no log is dirty enough, and takes logs up that have become dirty', async () => {
    const rig = new Rig()
    await rig.start()
    const topicId = await rig.harness.createTopic('t', 1, COMPACTED)
    for (const text of ['a=1', 'a=2', 'b=1']) await rig.produce(topicId, [text])
    await rig.cleanerPass()
    await rig.cleanerPass()
    expect(rig.logger.linesWith('compacted')).toHaveLength(1)
    for (const text of ['a=3', 'a=4', 'b=2']) await rig.produce(topicId, [text])
    await rig.cleanerPass()
    expect(rig.logger.linesWith('compacted')).toHaveLength(2)
    expect(await rig.records(topicId)).toEqual(['2 b=1', '4 a=4', '5 b=2'])
    await rig.harness.broker.stop()
  })

  it('leaves logs alone that are only deleted, or when it is switched off', async () => {
    const rig = new Rig()
    await rig.start({ 'log.cleaner.enable': false })
    const topicId = await rig.harness.createTopic('t', 1, COMPACTED)
    for (const text of ['a=1', 'a=2', 'b=1']) await rig.produce(topicId, [text])
    await rig.cleanerPass()
    await rig.harness.broker.stop()
    await rig.start()
    const deleted = await rig.harness.createTopic('u', 1, { 'segment.ms': '1' })
    for (const text of ['a=1', 'a=2', 'b=1']) await rig.produce(deleted, [text])
    expect(await rig.records(topicId)).toHaveLength(3)
    await rig.cleanerPass()
    expect(await rig.records(deleted)).toHaveLength(3)
    await rig.harness.broker.stop()
  })

  it('finds logs that nobody has used since the start', async () => {
    const rig = new Rig()
    await rig.start()
    const topicId = await rig.harness.createTopic('t', 1, COMPACTED)
    for (const text of ['a=1', 'a=2', 'b=1']) await rig.produce(topicId, [text])
    await rig.harness.broker.stop()
    await rig.start()
    await rig.cleanerPass()
    expect(rig.logger.linesWith('compacted')).toHaveLength(1)
    expect(await rig.records(topicId)).toEqual(['1 a=2', '2 b=1'])
    await rig.harness.broker.stop()
  })

  it('does not open logs that nobody has used and that have nothing to compact', async () => {
    const rig = new Rig()
    await rig.start()
    const topicId = await rig.harness.createTopic('t', 20, COMPACTED)
    for (let index = 0; index < 20; index++) {
      await rig.harness.produce(topicId, buildBatch([{ key: Buffer.from('k'), value: null, timestamp: 0n }]).bytes, {
        index
      })
    }
    await rig.harness.broker.stop()
    const read: string[] = []
    const watched = rig.storage.die({ fault: ({ name, path }) => void (name === 'read' && read.push(path)) })
    const later = new Rig(watched)
    await later.start()
    await later.cleanerPass()
    expect(read.filter(path => path.startsWith('t-') && !path.endsWith('partition.metadata'))).toEqual([])
    await later.harness.broker.stop()
  })

  it('follows a topic whose policy changes, and forgets one that is deleted', async () => {
    const rig = new Rig()
    await rig.start()
    const topicId = await rig.harness.createTopic('t', 1, { ...COMPACTED, 'cleanup.policy': 'delete' })
    for (const text of ['a=1', 'a=2', 'b=1']) await rig.produce(topicId, [text])
    await rig.cleanerPass()
    expect(await rig.records(topicId)).toHaveLength(3)
    await rig.harness.get('IncrementalAlterConfigs', alter('t', 'cleanup.policy', 'compact'))
    await rig.cleanerPass()
    expect(await rig.records(topicId)).toEqual(['1 a=2', '2 b=1'])
    await rig.harness.get('DeleteTopics', { topics: [{ name: 't' }], timeoutMs: 1000 })
    await rig.cleanerPass(120_000)
    expect(rig.cleanerCheckpoint()).not.toContain('t 0')
    await rig.harness.broker.stop()
  })

  it('compacts and deletes what has both policies', async () => {
    const rig = new Rig()
    await rig.start()
    const configs = { ...COMPACTED, 'cleanup.policy': 'compact,delete', 'retention.ms': '60000' }
    const topicId = await rig.harness.createTopic('t', 1, configs)
    for (const text of ['a=1', 'a=2', 'b=1']) await rig.produce(topicId, [text])
    await rig.cleanerPass()
    expect(await rig.records(topicId)).toEqual(['1 a=2', '2 b=1'])
    await rig.cleanerPass(75_000)
    await rig.cleanerPass()
    expect(await rig.records(topicId)).toEqual([])
    await rig.harness.broker.stop()
  })

  it('leaves a log whose batch is damaged, says so once, and goes on with the others', async () => {
    const rig = new Rig()
    await rig.start()
    const ids = [
      await rig.harness.createTopic('bad', 1, COMPACTED),
      await rig.harness.createTopic('good', 1, COMPACTED)
    ]
    for (const id of ids) for (const text of ['a=1', 'a=2', 'b=1']) await rig.produce(id, [text])
    await rig.harness.broker.stop()
    const path = 'bad-0/00000000000000000000.log'
    const bytes = Buffer.from(rig.storage.read(path, 0, rig.storage.size(path)))
    bytes.writeUInt8(0xff, bytes.length - 1)
    rig.storage.truncate(path, 0)
    rig.storage.append(path, bytes)
    await rig.start()
    await rig.cleanerPass()
    await rig.cleanerPass()
    expect(rig.logger.linesWith('cannot be compacted')).toEqual([
      expect.objectContaining({ bindings: expect.objectContaining({ folder: 'bad-0' }) })
    ])
    expect(rig.logger.linesWith('a log was compacted')).toEqual([
      expect.objectContaining({ bindings: expect.objectContaining({ folder: 'good-0' }) })
    ])
    await rig.harness.broker.stop()
  })

  it('works in slices: requests are answered in between, and a stop ends it', async () => {
    const rig = new Rig()
    await rig.start({ 'log.cleaner.io.buffer.size': 100 })
    const topicId = await rig.harness.createTopic('t', 1, COMPACTED)
    for (let number = 0; number < 40; number++) await rig.produce(topicId, [`a=${number}`])
    rig.clock.advance(BACKOFF_MS)
    await rig.produce(topicId, ['b=1'])
    expect(rig.logger.linesWith('compacted')).toEqual([])
    await rig.harness.broker.stop()
    expect(rig.logger.linesWith('compacted')).toEqual([])
    expect(rig.files('t-0').filter(name => name.endsWith('.cleaned'))).toEqual([])
    await rig.start()
    await rig.cleanerPass()
    expect(await rig.records(topicId)).toEqual(['39 a=39', '40 b=1'])
    await rig.harness.broker.stop()
  })

  it('keeps to a number of bytes per second', async () => {
    const rig = new Rig()
    await rig.start({ 'log.cleaner.io.buffer.size': 70, 'log.cleaner.io.max.bytes.per.second': 70 })
    const topicId = await rig.harness.createTopic('t', 1, COMPACTED)
    for (let number = 0; number < 6; number++) await rig.produce(topicId, [`a=${number}`])
    rig.clock.advance(BACKOFF_MS)
    let seconds = 0
    while (rig.logger.linesWith('compacted').length === 0) {
      await nextTurn()
      rig.clock.advance(1000)
      seconds++
    }
    // Some 350 bytes are read twice.
    expect(seconds).toBeGreaterThanOrEqual(9)
    await rig.harness.broker.stop()
  })

  it('recognises retries of compacted batches, even after a restart', async () => {
    const rig = new Rig()
    await rig.start()
    const topicId = await rig.harness.createTopic('t', 1, COMPACTED)
    const { producerId, producerEpoch } = await rig.harness.get('InitProducerId', {
      transactionalId: null,
      transactionTimeoutMs: 1000,
      producerId: -1n,
      producerEpoch: -1
    })
    const batch = (baseSequence: number) => ({ producerId, producerEpoch, baseSequence })
    await rig.produce(topicId, ['a=1'], batch(0))
    await rig.produce(topicId, ['a=2', 'b=1'], batch(1))
    for (const text of ['a=3', 'b=2', 'c=1']) await rig.produce(topicId, [text])
    await rig.cleanerPass()
    expect(await rig.records(topicId)).toEqual(['3 a=3', '4 b=2', '5 c=1'])
    for (const isRestarted of [false, true]) {
      if (isRestarted) {
        await rig.harness.broker.stop()
        for (const name of rig.files('t-0')) if (name.endsWith('.snapshot')) rig.storage.removeNow(`t-0/${name}`)
        await rig.start()
      }
      expect(await rig.produce(topicId, ['a=2', 'b=1'], batch(1))).toMatchObject({ errorCode: 'NONE', baseOffset: 1n })
      expect(await rig.produce(topicId, ['z=1'], batch(9))).toMatchObject({ errorCode: 'OUT_OF_ORDER_SEQUENCE_NUMBER' })
    }
    expect(await rig.produce(topicId, ['d=1'], batch(3))).toMatchObject({ errorCode: 'NONE', baseOffset: 6n })
    await rig.harness.broker.stop()
  })

  it('shrinks the log of committed offsets, and a restart finds the same offsets', async () => {
    const rig = new Rig()
    const config = { 'offsets.topic.num.partitions': 1 }
    await rig.start(config)
    const topicId = await rig.harness.createTopic('t', 3)
    await rig.harness.get('FindCoordinator', { keyType: 0, coordinatorKeys: ['g'] })
    await rig.harness.get('IncrementalAlterConfigs', alter('__consumer_offsets', 'segment.ms', '1000'))
    const commit = async (offset: bigint) => {
      rig.clock.advance(20)
      const partitions = [0, 1, 2].map(partitionIndex => ({
        partitionIndex,
        committedOffset: offset + BigInt(partitionIndex),
        committedMetadata: ''
      }))
      const { topics } = await rig.harness.get('OffsetCommit', { groupId: 'g', topics: [{ topicId, partitions }] })
      expect(topics[0]?.partitions[0]?.errorCode).toBe('NONE')
    }
    for (let offset = 0n; offset < 200n; offset++) await commit(offset)
    const sizeOf = () =>
      rig
        .files('__consumer_offsets-0')
        .filter(name => name.endsWith('.log'))
        .reduce((sum, name) => sum + rig.storage.size(`__consumer_offsets-0/${name}`), 0)
    const before = sizeOf()
    await rig.cleanerPass()
    expect(sizeOf()).toBeLessThan(before / 3)
    await rig.harness.broker.stop()
    await rig.start(config)
    const { groups } = await rig.harness.get('OffsetFetch', { groups: [{ groupId: 'g', topics: null }] })
    const offsets = groups[0]?.topics[0]?.partitions.map(({ committedOffset }) => committedOffset)
    expect(offsets?.sort()).toEqual([199n, 200n, 201n])
    await rig.harness.broker.stop()
  })
})
