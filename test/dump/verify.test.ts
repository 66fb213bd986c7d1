/** Indexes held against their log, and --verify: what is wrong is found, what only looks odd is not. */
import { describe, expect, it } from 'vitest'
import { textOf } from '../../src/dump/render.ts'
import { verify } from '../../src/dump/verify.ts'
import type { MemoryStorage } from '../../src/log/memory-storage.ts'
import type { BatchOptions } from '../../src/protocol/records/builder.ts'
import { buildBatch } from '../../src/protocol/records/builder.ts'
import { lines, options, segment } from './folder.ts'

const NAME = 't-0/00000000000000000000'

function batch(baseOffset: bigint, given: BatchOptions = {}) {
  const record = { key: null, value: Buffer.from('v') }
  const records = [0n, 1n].map(delta => ({ ...record, timestamp: 100n + baseOffset + delta }))
  return buildBatch(records, { baseOffset, ...given })
}

/** Two records a batch, by one producer. */
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
  it('are shown entry by entry', () => {
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

  it('that do not fit the log are told of after all files', () => {
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

  it('end where room begins that is not yet used', () => {
    const storage = segment([batch(0n), batch(2n)])
    storage.append(`${NAME}.index`, Buffer.alloc(80))
    expect(lines(storage, options(), [`${NAME}.index`])).toHaveLength(2)
  })

  it('are empty, or pass the check of a start', () => {
    expect(lines(segment([batch(0n)]), options(), [`${NAME}.index`])[1]).toBe(`${NAME}.index is empty.`)
    const whole = segment([batch(0n), batch(2n)])
    expect(lines(whole, options({ indexSanityCheck: true }), [`${NAME}.timeindex`])[1]).toBe(
      `${NAME}.timeindex passed sanity check.`
    )
    whole.append(`${NAME}.index`, Buffer.of(1))
    expect(lines(whole, options({ indexSanityCheck: true }), [`${NAME}.index`])[1]).toMatch(/1 bytes are left over/)
  })
})

describe('verifying', () => {
  it('finds nothing in what a broker has written', () => {
    expect(found(chain([0n, 0], [2n, 2], [4n, 0, 1]))).toEqual(['3 files verified, no problems found'])
  })

  it('lets sequences wrap around, and begin again after a silence', () => {
    expect(found(chain([0n, 2 ** 31 - 2], [2n, 0]))).toHaveLength(1)
  })

  it('takes gaps for the work of compaction where offsets are missing, too', () => {
    expect(found(chain([0n, 0], [10n, 10]))).toHaveLength(1)
    expect(found(chain([0n, 0], [2n, 10]))[0]).toMatch(/producer 5 has sequence 10 where 2 should follow/)
  })

  it.each([
    ['a checksum', (storage: MemoryStorage) => replace(storage, `${NAME}.log`, 70, Buffer.of(9)), /checksum/],
    ['an offset', (storage: MemoryStorage) => replace(storage, `${NAME}.log`, 77, Buffer.alloc(8)), /comes after/],
    ['an index', (storage: MemoryStorage) => replace(storage, `${NAME}.index`, 3, Buffer.of(2)), /Index offset: 2/],
    ['an end', (storage: MemoryStorage) => storage.append(`${NAME}.log`, Buffer.alloc(9)), /last 9 bytes/]
  ] as const)('finds %s that is wrong', (_, damage, message) => {
    const storage = chain([0n, 0], [2n, 2])
    damage(storage)
    const said = found(storage)
    expect(said).toContainEqual(expect.stringMatching(message))
    expect(said.at(-1)).toMatch(/^3 files verified, [1-9]\d* problems found$/)
  })

  it('finds sequences and epochs that go back', () => {
    expect(found(chain([0n, 0], [2n, 0]))[0]).toMatch(/position 77: producer 5 has sequence 0 where 2 should follow/)
    expect(found(chain([0n, 0, 3], [20n, 2, 2]))[0]).toMatch(/producer 5 goes back from epoch 3 to 2/)
    expect(found(chain([0n, 0], [2n, 4, 1]))[0]).toMatch(/begins epoch 1 with sequence 4, not 0/)
  })
})
