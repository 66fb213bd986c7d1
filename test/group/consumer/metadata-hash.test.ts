import { describe, expect, it } from 'vitest'
import { groupHash, topicHash } from '../../../src/group/consumer/metadata-hash.ts'

const ID = 'AAECAwQFBgcICQoLDA0ODw'
const OTHER_ID = '_____________________w'

const partitions = (count: number, ...racks: string[]) => Array.from({ length: count }, () => ({ racks }))
const topic = (name: string, ...racks: string[][]) =>
  topicHash({ topicId: ID, name, partitions: racks.map(racks => ({ racks })) })

// All computed by Apache Kafka 4.3.1.
describe('the hash of a topic', () => {
  it('tells of its id, name and partitions', () => {
    expect(topic('foo', [])).toBe(-3_487_266_703_511_056_095n)
    expect(topic('foo')).toBe(4_503_016_644_937_083_289n)
    expect(topicHash({ topicId: OTHER_ID, name: 'foo', partitions: partitions(3) })).toBe(5_346_700_231_751_719_293n)
  })

  it('tells of the racks of partitions, in no order', () => {
    expect(topic('foo', ['rack2', 'rack1'], ['rack1'], [])).toBe(-4_128_096_936_605_051_936n)
    expect(topic('foo', ['rack1', 'rack2'], ['rack1'], [])).toBe(-4_128_096_936_605_051_936n)
  })

  it('takes racks of any characters, empty, and more than once', () => {
    expect(topic('foo', ['aé😀', '\uffff', '', 'z', 'z'])).toBe(-6_624_874_286_955_015_194n)
  })

  it('takes the longest names', () => {
    expect(topic('x'.repeat(60), [], [])).toBe(1_513_494_649_127_721_812n)
    expect(topic('n'.repeat(249), [])).toBe(-1_241_097_760_863_896_607n)
  })

  it('takes many partitions', () => {
    expect(topicHash({ topicId: ID, name: 'many', partitions: partitions(100) })).toBe(1_843_755_864_441_432_308n)
    expect(topicHash({ topicId: ID, name: 'many', partitions: partitions(10_000, 'r1') })).toBe(
      -6_953_110_903_135_111_879n
    )
  })

  it('is right for inputs of every length', () => {
    let folded = 0n
    for (let count = 0; count < 300; count++) {
      const hash = topicHash({ topicId: ID, name: 'f'.repeat(count % 7), partitions: partitions(count) })
      folded = BigInt.asIntN(64, folded * 31n + hash)
    }
    expect(folded).toBe(-4_651_840_600_484_377_236n)
  })
})

describe('the hash of a group', () => {
  const foo = topic('foo', [])
  const bar = topic('foo', ['rack2', 'rack1'], ['rack1'], [])

  it('is 0 without topics', () => {
    expect(groupHash(new Map())).toBe(0n)
  })

  it('tells of its topics, in no order', () => {
    expect(groupHash(new Map([['foo', foo]]))).toBe(5_803_876_611_364_532_863n)
    const both = new Map([
      ['foo', foo],
      ['bar', bar]
    ])
    expect(groupHash(both)).toBe(-3_569_246_383_204_745_822n)
    expect(groupHash(new Map([...both].toReversed()))).toBe(-3_569_246_383_204_745_822n)
  })

  it('takes many topics', () => {
    const hashes = new Map(Array.from({ length: 300 }, (_, at) => [`t${at}`, BigInt(at) * -7_777_777_777_777n]))
    hashes.set('T', -(1n << 63n)).set('é', -1n)
    expect(groupHash(hashes)).toBe(3_542_769_078_347_905_097n)
  })
})
