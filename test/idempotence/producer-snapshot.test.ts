import { describe, expect, it } from 'vitest'
import {
  CorruptSnapshot,
  decodeSnapshot,
  encodeSnapshot,
  type ProducerEntry
} from '../../src/idempotence/producer-snapshot.ts'

const ENTRIES: ProducerEntry[] = [
  {
    producerId: 1000n,
    producerEpoch: 1,
    lastSequence: 4,
    lastOffset: 14n,
    offsetDelta: 4,
    timestamp: 0x18bcfe56800n,
    coordinatorEpoch: 0,
    currentTxnFirstOffset: 10n
  },
  {
    producerId: 2000n,
    producerEpoch: 2,
    lastSequence: -1,
    lastOffset: -1n,
    offsetDelta: 0,
    timestamp: 0x18bcfe56805n,
    coordinatorEpoch: 3,
    currentTxnFirstOffset: -1n
  }
]

/** A snapshot that Kafka 4.3 wrote. */
const GOLDEN = Buffer.from(
  [
    '00010fbbb8ee00000002',
    '00000000000003e8000100000004000000000000000e000000040000018bcfe5680000000000000000000000000a',
    '00000000000007d00002ffffffffffffffffffffffff000000000000018bcfe5680500000003ffffffffffffffff'
  ].join(''),
  'hex'
)

describe('a snapshot of producers', () => {
  it('a snapshot has the bytes that Kafka writes', () => {
    expect(encodeSnapshot(ENTRIES).toString('hex')).toBe(GOLDEN.toString('hex'))
    expect(decodeSnapshot(GOLDEN)).toEqual(ENTRIES)
  })

  it('a snapshot may have no producers', () => {
    expect(encodeSnapshot([])).toHaveLength(10)
    expect(decodeSnapshot(encodeSnapshot([]))).toEqual([])
  })

  it('a snapshot is refused with any bit flipped and at any truncation', () => {
    for (let at = 0; at < GOLDEN.length; at++) {
      const flipped = Buffer.from(GOLDEN)
      flipped.writeUInt8(flipped.readUInt8(at) ^ (1 << (at % 8)), at)
      expect(() => decodeSnapshot(flipped)).toThrow(CorruptSnapshot)
      expect(() => decodeSnapshot(GOLDEN.subarray(0, at))).toThrow(CorruptSnapshot)
    }
    expect(() => decodeSnapshot(Buffer.concat([GOLDEN, Buffer.alloc(46)]))).toThrow(CorruptSnapshot)
  })
})
