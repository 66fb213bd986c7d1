/** Indexes compared with their log, and --verify: errors are found, and valid oddities are accepted. */
import { describe, expect, it } from 'vitest'
import { verify } from '../../../src/dump/checks/verify.ts'
import { textOf } from '../../../src/dump/items.ts'
import { encodeSnapshot } from '../../../src/idempotence/producer-snapshot.ts'
import { type BatchOptions, buildBatch } from '../../../src/protocol/records/builder.ts'
import type { MemoryStorage } from '../../../src/storage/memory-storage.ts'
import { folder, lines, options, segment } from '../folder.ts'

const NAME = 't-0/00000000000000000000'

function batch(baseOffset: bigint, given: BatchOptions = {}) {
  const record = { key: null, value: Buffer.from('v') }
  const records = [0n, 1n].map(delta => ({ ...record, timestamp: 100n + baseOffset + delta }))
  return buildBatch(records, { baseOffset, ...given })
}

/** Batches of two records each, by one producer. */
function chain(...given: readonly (readonly [offset: bigint, sequence: number, epoch?: number])[]): MemoryStorage {
  return segment(
    given.map(([offset, baseSequence, producerEpoch = 0]) =>
      batch(offset, { producerId: 5n, producerEpoch, baseSequence })
    )
  )
}

function replace(storage: MemoryStorage, path: string, position: number, bytes: Buffer): void {
  const whole = Buffer.from(storage.read(path, 0, storage.size(path)))
  bytes.copy(whole, position)
  storage.truncate(path, 0)
  storage.append(path, whole)
}

const found = (storage: MemoryStorage) => [...verify(storage, ['t-0'], options())].map(textOf)

describe('indexes', () => {
  it('indexes are shown entry by entry', () => {
    const shown = lines(segment([batch(0n), batch(2n), batch(4n)]))
    expect(shown).toEqual([
      `Dumping ${NAME}.index`,
      'offset: 3 position: 77',
      'offset: 5 position: 154',
      `Dumping ${NAME}.log`,
      'Log starting offset: 0',
      expect.stringContaining('baseOffset: 0 '),
      expect.stringContaining('baseOffset: 2 '),
      expect.stringContaining('baseOffset: 4 '),
      `Dumping ${NAME}.timeindex`,
      'timestamp: 103 offset: 3',
      'timestamp: 105 offset: 5'
    ])
  })

  it('indexes that do not match the log are reported after all files', () => {
    const storage = segment([batch(0n), batch(2n), batch(4n)])
    replace(storage, `${NAME}.index`, 3, Buffer.of(2))
    replace(storage, `${NAME}.timeindex`, 7, Buffer.of(99))
    replace(storage, `${NAME}.timeindex`, 23, Buffer.of(4))
    const at = (suffix: string) => expect.stringMatching(RegExp(`:/.*${suffix}$`))
    expect(lines(storage, options({ verifyIndexOnly: true }), [`${NAME}.index`, `${NAME}.timeindex`])).toEqual([
      `Dumping ${NAME}.index`,
      `Dumping ${NAME}.timeindex`,
      at('.index'),
      '  Index offset: 2, log offset: 3',
      at('.timeindex'),
      '  Index timestamp: 99, log timestamp: 103',
      at('.timeindex'),
      'Indexed offset: 4, found log offset: 5'
    ])
  })

  it('indexes end where their preallocated part begins', () => {
    const storage = segment([batch(0n), batch(2n)])
    storage.append(`${NAME}.index`, Buffer.alloc(80))
    expect(lines(storage, options(), [`${NAME}.index`])).toHaveLength(2)
  })

  it('indexes that are empty, or that pass or fail the sanity check, are reported', () => {
    expect(lines(segment([batch(0n)]), options(), [`${NAME}.index`])[1]).toBe(`${NAME}.index is empty.`)
    const whole = segment([batch(0n), batch(2n)])
    expect(lines(whole, options({ indexSanityCheck: true }), [`${NAME}.timeindex`])[1]).toBe(
      `${NAME}.timeindex passed sanity check.`
    )
    whole.append(`${NAME}.index`, Buffer.of(1))
    expect(lines(whole, options({ indexSanityCheck: true }), [`${NAME}.index`])[1]).toMatch(
      /1 bytes follow the last complete entry/
    )
  })
})

describe('verifying', () => {
  it('verification finds no error in the files of a broker', () => {
    expect(found(chain([0n, 0], [2n, 2], [4n, 0, 1]))).toEqual(['3 files verified, no problems found'])
  })

  it('verification accepts sequences that wrap around, or begin again after an idle time', () => {
    expect(found(chain([0n, 2 ** 31 - 2], [2n, 0]))).toHaveLength(1)
  })

  it('verification accepts gaps in sequences as compaction if offsets are missing, too', () => {
    expect(found(chain([0n, 0], [10n, 10]))).toHaveLength(1)
    expect(found(chain([0n, 0], [2n, 10]))[0]).toMatch(/producer 5 has sequence 10, expected 2/)
  })

  it.each([
    ['a checksum', (storage: MemoryStorage) => replace(storage, `${NAME}.log`, 70, Buffer.of(9)), /checksum/],
    [
      'an offset',
      (storage: MemoryStorage) => replace(storage, `${NAME}.log`, 77, Buffer.alloc(8)),
      /is below \d+, the offset after the previous batch/
    ],
    ['an index', (storage: MemoryStorage) => replace(storage, `${NAME}.index`, 3, Buffer.of(2)), /Index offset: 2/],
    ['an end', (storage: MemoryStorage) => storage.append(`${NAME}.log`, Buffer.alloc(9)), /last 9 bytes/]
  ] as const)('verification finds %s that is wrong', (_, damage, message) => {
    const storage = chain([0n, 0], [2n, 2])
    damage(storage)
    const said = found(storage)
    expect(said).toContainEqual(expect.stringMatching(message))
    expect(said.at(-1)).toMatch(/^3 files verified, [1-9]\d* problems found$/)
  })

  it('verification accepts batches that a coordinator wrote for producers, which all have sequence 0', () => {
    const storage = chain([0n, 0], [2n, 0], [4n, 0])
    storage.rename('t-0', '__consumer_offsets-0')
    expect([...verify(storage, ['__consumer_offsets-0'], options())].map(textOf)).toHaveLength(1)
  })

  it('verification finds sequences and epochs that go back', () => {
    expect(found(chain([0n, 0], [2n, 0]))[0]).toMatch(/position 77: producer 5 has sequence 0, expected 2/)
    expect(found(chain([0n, 0, 3], [20n, 2, 2]))[0]).toMatch(/producer 5 has epoch 2 after epoch 3/)
    expect(found(chain([0n, 0], [2n, 4, 1]))[0]).toMatch(/begins epoch 1 with sequence 4, expected 0/)
  })
})

describe('verification of files next to a log', () => {
  const SNAPSHOT_AT_4 = 't-0/00000000000000000004.snapshot'
  const entry = {
    producerId: 5n,
    producerEpoch: 0,
    lastSequence: 3,
    lastOffset: 3n,
    offsetDelta: 1,
    timestamp: 103n,
    coordinatorEpoch: -1,
    currentTxnFirstOffset: -1n
  }
  const withSnapshot = (changes: Partial<typeof entry>, path = SNAPSHOT_AT_4) => {
    const storage = chain([0n, 0], [2n, 2], [4n, 4])
    storage.append(path, encodeSnapshot([{ ...entry, ...changes }]))
    return found(storage)
  }

  it('verification accepts snapshots at the end, between segments, and of producers whose batches are gone', () => {
    expect(withSnapshot({})).toEqual(['4 files verified, no problems found'])
    expect(withSnapshot({ lastSequence: 5, lastOffset: 5n }, 't-0/00000000000000000006.snapshot')).toHaveLength(1)
    expect(withSnapshot({ producerId: 6n, lastSequence: 77, lastOffset: 1n })).toHaveLength(1)
  })

  it.each([
    ['epoch', { producerEpoch: 1 }, /producer 5 has epoch 1, but epoch 0 in the log/],
    ['earlier offset', { lastOffset: 1n, lastSequence: 1 }, /producer 5 has the last offset 1, but 3 in the log/],
    ['later offset', { lastOffset: 9n }, /producer 5 has the last offset 9, but 3 in the log/],
    ['sequence', { lastSequence: 7 }, /producer 5 has the last sequence 7, but 3 in the log/]
  ] as const)('verification finds a snapshot with another %s', (_, changes, message) => {
    expect(withSnapshot(changes)[0]).toMatch(message)
    expect(withSnapshot(changes)[0]).toContain(SNAPSHOT_AT_4)
  })

  it('verification accepts a snapshot at an empty segment before which retention or compaction left no batch', () => {
    const empty = folder({ '00000000000000000009.log': Buffer.alloc(0) })
    empty.append('t-0/00000000000000000009.snapshot', encodeSnapshot([entry]))
    expect(found(empty)).toEqual(['2 files verified, no problems found'])
    const behind = chain([0n, 0], [2n, 2])
    behind.append('t-0/00000000000000000009.log', Buffer.alloc(0))
    behind.append('t-0/00000000000000000009.snapshot', encodeSnapshot([entry]))
    expect(found(behind)).toEqual(['5 files verified, no problems found'])
  })

  it('verification finds a snapshot beyond the end of the log', () => {
    expect(withSnapshot({}, 't-0/00000000000000000009.snapshot')[0]).toMatch(/offset is above the log end offset 6/)
  })

  const withEpochs = (text: string, epochs: readonly number[]) => {
    const batches = epochs.map((epoch, at) => {
      const batch = buildBatch([{ timestamp: 1n, key: null, value: null }], { partitionLeaderEpoch: epoch })
      batch.stamp(BigInt(at), epoch)
      return batch.bytes
    })
    const name = '00000000000000000000.log'
    const storage = folder({ [name]: Buffer.concat(batches), 'leader-epoch-checkpoint': Buffer.from(text) })
    return found(storage)
  }

  it('verification compares the leader epoch checkpoint with the log', () => {
    expect(withEpochs('0\n2\n0 0\n3 2\n', [0, 0, 3])).toHaveLength(1)
    expect(withEpochs('', [0, 0, 3])).toHaveLength(1)
    expect(withEpochs('0\n1\n3 2\n', [0, 0, 3])).toHaveLength(1)
    expect(withEpochs('0\n2\n0 0\n3 1\n', [0, 0, 3, 3])[0]).toMatch(/offset 1 has leader epoch 0, but .* has epoch 3/)
    expect(withEpochs('0\n2\n3 0\n0 2\n', [3])[0]).toMatch(
      /leader-epoch-checkpoint: the leader epochs are .* not in ascending order/
    )
    expect(withEpochs('what', [0])[0]).toMatch(/the leader epochs are invalid/)
  })

  it('verification accepts gaps, headers and delete horizons of compaction', () => {
    const producer = { producerId: 5n, producerEpoch: 0 }
    const value = Buffer.from('v')
    const kept = buildBatch([{ timestamp: 200n, key: value, value: null, offset: 13n }], {
      ...producer,
      baseOffset: 10n,
      lastOffsetDelta: 7,
      baseSequence: 0,
      deleteHorizonMs: 1_700_000_000_000n
    })
    const header = buildBatch([], {
      ...producer,
      baseOffset: 30n,
      lastOffsetDelta: 4,
      baseSequence: 40,
      maxTimestamp: 300n
    })
    const after = buildBatch([{ timestamp: 400n, key: value, value }], {
      ...producer,
      baseOffset: 35n,
      baseSequence: 45
    })
    const storage = segment([kept, header, after], 10n)
    expect(found(storage)).toEqual(['3 files verified, no problems found'])
    expect(lines(storage, options({ deep: true })).join('\n')).toContain('deleteHorizonMs: OptionalLong[1700000000000]')
  })

  it('verification accepts zeros at the end of the newest segment as preallocated', () => {
    const storage = segment([batch(0n)])
    storage.append(`${NAME}.log`, Buffer.alloc(2 << 20))
    expect(found(storage)).toHaveLength(1)
    storage.append('t-0/00000000000000000002.log', batch(2n).bytes)
    expect(found(storage)).toEqual([expect.stringMatching(/position 77: .* 0 bytes/), expect.anything()])
    storage.removeNow('t-0/00000000000000000002.log')
    storage.append(`${NAME}.log`, Buffer.of(1))
    expect(found(storage)).toHaveLength(2)
  })

  it('verification reports once that a file with a wrong name begins before its base offset', () => {
    const storage = chain([0n, 0], [2n, 2], [4n, 4])
    storage.rename(`${NAME}.log`, 't-0/00000000000000000009.log')
    for (const suffix of ['index', 'timeindex']) storage.removeNow(`${NAME}.${suffix}`)
    expect(found(storage)).toEqual([
      't-0/00000000000000000009.log: position 0: offset 0 is below 9, the base offset of the file',
      '1 files verified, 1 problems found'
    ])
  })

  it('verification does not accept a folder without a file of a log', () => {
    const storage = folder({ 'notes.txt': Buffer.from('hello') })
    expect(found(storage)).toEqual([
      't-0: the kind of file is unknown; dump-log reads .log, .checkpoint, .index, .timeindex, .snapshot and .txnindex',
      '1 files verified, 1 problems found'
    ])
    expect(lines(storage, options(), ['t-0'])).toContain('Ignoring unknown file t-0')
  })

  it('verification covers all partitions of a data directory', () => {
    const storage = chain([0n, 0], [2n, 2])
    storage.makeDirectory('u-0')
    storage.append('u-0/00000000000000000000.log', buildBatch([], { baseOffset: 9n }).bytes.subarray(0, 60))
    const said = [...verify(storage, ['t-0', 'u-0'], options())].map(textOf)
    expect(said).toEqual([expect.stringMatching(/^u-0.*last 60 bytes/), '4 files verified, 1 problems found'])
  })
})
