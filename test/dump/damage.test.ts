/** Truncated, damaged and wrong files: a dump reports the position and the error, in bounded time, and throws nothing. */
import { describe, expect, it } from 'vitest'
import { verify } from '../../src/dump/checks/verify.ts'
import { groupDecoder, metadataDecoder } from '../../src/dump/formats/coordinator-decoder.ts'
import { entriesOf } from '../../src/dump/formats/log-file.ts'
import { jsonOf, textOf } from '../../src/dump/items.ts'
import { encodeRecord } from '../../src/group/records.ts'
import { encodeMetadataRecord, metadataRecord } from '../../src/metadata/records.ts'
import { buildBatch } from '../../src/protocol/records/builder.ts'
import { seededRandom } from '../../src/runtime/random.ts'
import type { MemoryStorage } from '../../src/storage/memory-storage.ts'
import { ABORT_MARKER, BY_CODEC, TRANSACTIONAL } from '../protocol/records/vectors.ts'
import { folder, items, lines, options, segment } from './folder.ts'
import { LEGACY, SNAPSHOT } from './vectors.ts'

const LOG = '00000000000000000000.log'
const ROUNDS = 300

const { key, value } = encodeRecord({
  type: 'OffsetCommit',
  key: { group: 'g', topic: 't', partition: 0 },
  value: {
    offset: 5n,
    leaderEpoch: 0,
    metadata: '',
    commitTimestamp: 1n,
    expireTimestamp: -1n,
    topicId: 'AAECAwQFBgcICQoLDA0ODw'
  }
})
const topic = encodeMetadataRecord(metadataRecord('TopicRecord', { name: 't', topicId: 'AAECAwQFBgcICQoLDA0ODw' }))

const FILES: Readonly<Record<string, Buffer>> = {
  'transactional.log': Buffer.concat([TRANSACTIONAL, ABORT_MARKER]),
  ...Object.fromEntries(Object.entries(BY_CODEC).map(([codec, bytes]) => [`${codec}.log`, bytes])),
  'offsets.log': buildBatch([{ timestamp: 1n, key, value }]).bytes,
  'metadata.log': buildBatch([{ timestamp: 1n, key: null, value: topic }]).bytes,
  'some.snapshot': SNAPSHOT
}

const WAYS = [
  options({ print: true }),
  options({ print: true, decoder: groupDecoder }),
  options({ print: true, decoder: metadataDecoder })
]

/** Runs every kind of dump on a damaged folder. Fails on any exception. */
function askEverything(storage: MemoryStorage): void {
  for (const way of WAYS) {
    const found = items(storage, way)
    for (const item of found) {
      textOf(item)
      JSON.parse(jsonOf(item))
    }
    expect(found.length).toBeLessThan(100)
  }
  for (const item of verify(storage, ['t-0'], options())) textOf(item)
}

describe.each(Object.entries(FILES))('%s', (name, bytes) => {
  const path = name.endsWith('.log') ? LOG : '00000000000000000015.snapshot'

  it('the file is dumped when truncated at any byte', () => {
    for (let length = 0; length <= bytes.length; length++) askEverything(folder({ [path]: bytes.subarray(0, length) }))
  })

  it('the file is dumped with any bits flipped', () => {
    const random = seededRandom(7)
    for (let round = 0; round < ROUNDS; round++) {
      const damaged = Buffer.from(bytes)
      for (let count = 1 + random.below(3); count > 0; count--) {
        const at = random.below(damaged.length)
        damaged.writeUInt8(damaged.readUInt8(at) ^ (1 << random.below(8)), at)
      }
      askEverything(folder({ [path]: damaged }))
    }
  })

  it('the file is dumped with any number in it replaced by the largest or the smallest', () => {
    for (const number of [0x7f_ff_ff_ff, -0x80_00_00_00, -1, 0]) {
      for (let at = 0; at + 4 <= bytes.length; at++) {
        const damaged = Buffer.from(bytes)
        damaged.writeInt32BE(number, at)
        askEverything(folder({ [path]: damaged }))
      }
    }
  })
})

it('a dump accepts indexes with any bits flipped', () => {
  const random = seededRandom(8)
  const batches = Array.from({ length: 8 }, (_, at) =>
    buildBatch([{ timestamp: BigInt(at), key: null, value: Buffer.from('v') }], { baseOffset: BigInt(at) })
  )
  for (let round = 0; round < ROUNDS; round++) {
    const storage = segment(batches)
    for (const suffix of ['index', 'timeindex']) {
      const path = `t-0/00000000000000000000.${suffix}`
      const damaged = Buffer.from(storage.read(path, 0, storage.size(path)))
      damaged.writeUInt8(random.below(256), random.below(damaged.length))
      storage.truncate(path, 0)
      storage.append(path, damaged.subarray(0, damaged.length - random.below(2)))
    }
    askEverything(storage)
  }
})

it('a dump continues after a batch of an unknown magic, and reports its position', () => {
  const first = Buffer.from(TRANSACTIONAL)
  first.writeInt8(7, 16)
  const storage = folder({ [LOG]: Buffer.concat([first, ABORT_MARKER]) })
  expect(lines(storage).slice(2)).toEqual([
    `t-0/${LOG}: position 0: the magic 7 is unknown; valid are 0, 1 and 2; skipped 81 bytes to the next complete batch`,
    expect.stringContaining('baseOffset: 15 ')
  ])
})

it('a dump shows a batch with damaged records, reports their error, and continues', () => {
  const first = Buffer.from(TRANSACTIONAL)
  first.writeUInt8(0x7e, 61)
  const storage = folder({ [LOG]: Buffer.concat([first, ABORT_MARKER]) })
  expect(lines(storage, options({ deep: true })).slice(2, 5)).toEqual([
    expect.stringMatching(/isvalid: false$/),
    `t-0/${LOG}: position 0: the records of the batch at offset 0 are invalid: a record of 63 bytes extends beyond its batch`,
    expect.stringContaining('baseOffset: 15 ')
  ])
})

it('a dump of a text file with the name of a log reports that it is no log', () => {
  const storage = folder({ 'notes.log': Buffer.from('This is what happened on Monday, and on Tuesday too.') })
  expect(lines(storage)).toEqual([
    'Dumping t-0/notes.log',
    't-0/notes.log: the file name does not begin with a base offset, as in 00000000000000000000.log',
    'Found 52 invalid bytes at the end of notes.log'
  ])
})

it('a dump reports where the zeros of a file begin', () => {
  const storage = folder({ [LOG]: Buffer.concat([TRANSACTIONAL, Buffer.alloc(4096)]) })
  expect(lines(storage).at(-1)).toBe(
    `t-0/${LOG}: position 81: a batch length of 0 bytes is below the minimum of 14; no complete batch follows in the remaining 4096 bytes`
  )
})

describe('an impossible batch length', () => {
  const batch = (offset: bigint, text = 'v') =>
    buildBatch([{ timestamp: 1n, key: null, value: Buffer.from(text.repeat(100)) }], { baseOffset: offset }).bytes
  const withLength = (bytes: Buffer, length: number) => {
    const damaged = Buffer.from(bytes)
    damaged.writeInt32BE(length, 8)
    return damaged
  }
  const size = batch(0n).length
  const shown = (...parts: readonly Buffer[]) => lines(folder({ [LOG]: Buffer.concat(parts) })).slice(2)
  const at = (offset: number) => expect.stringMatching(`^baseOffset: ${offset} .*isvalid: true$`)

  it.each([
    [0x7f_ff_ff_ff, /: position 0: a batch of 2147483659 bytes extends beyond the end of the file; skipped 170 bytes/],
    [-5, /: position 0: a batch length of -5 bytes is below the minimum of 14; skipped 170 bytes/],
    [0, /: position 0: a batch length of 0 bytes is below the minimum of 14; skipped 170 bytes/],
    [20, /: position 0: a batch of 32 bytes is shorter than its header; skipped 170 bytes/]
  ])('a dump continues with the next batch after a batch length of %i', (length, message) => {
    expect(size).toBe(170)
    expect(shown(withLength(batch(0n), length), batch(1n), batch(2n))).toEqual([
      expect.stringMatching(message),
      at(1),
      at(2)
    ])
  })

  it('a dump shows the batches that a too large length had covered', () => {
    const damaged = withLength(batch(0n), size + 40)
    expect(shown(damaged, batch(1n), batch(2n))).toEqual([
      expect.stringMatching(/^baseOffset: 0 .*isvalid: false$/),
      expect.stringMatching(
        /position 222: a batch of \d+ bytes extends beyond the end of the file; a complete batch begins before it, at position 170/
      ),
      at(1),
      at(2)
    ])
  })

  it('a dump finds messages of old formats after an impossible length', () => {
    expect(shown(withLength(batch(0n), -1), LEGACY['magic1-gzip'], batch(9n))[1]).toMatch(/^offset: 7 position: 170 /)
  })

  it('a dump treats the end of a log as truncated, as Kafka does, if no batch follows', () => {
    expect(shown(batch(0n), batch(1n).subarray(0, 100))).toEqual([
      at(0),
      `Found 100 invalid bytes at the end of ${LOG}`
    ])
  })

  it('a dump of a file of incomplete batches reads it in one pass', () => {
    // Each batch claims the rest of the file: the checksums of all of them would take minutes.
    const count = 20_000
    const beginnings = Array.from({ length: count }, (_, index) =>
      withLength(batch(BigInt(index)).subarray(0, 61), (count - index) * 61 - 12)
    )
    const storage = folder({ [LOG]: Buffer.concat(beginnings) })
    let read = 0
    const counting = {
      exists: (path: string) => storage.exists(path),
      list: (path: string) => storage.list(path),
      size: (path: string) => storage.size(path),
      read: (path: string, position: number, length: number) => {
        const bytes = storage.read(path, position, length)
        read += bytes.length
        return bytes
      }
    }
    const entries = [...entriesOf(counting, `t-0/${LOG}`, 1, count * 61)]
    expect(entries.length).toBeLessThan(10)
    expect(read).toBeLessThan(10 * count * 61)
  })
})
