import { describe, expect, it } from 'vitest'
import { groupHash, topicHash } from '../../../src/group/modern/metadata-hash.ts'

const ID = 'AAECAwQFBgcICQoLDA0ODw'
const OTHER_ID = '_____________________w'

const partitions = (count: number, ...racks: string[]) => Array.from({ length: count }, () => ({ racks }))
const topic = (name: string, ...racks: string[][]) =>
  topicHash({ topicId: ID, name, partitions: racks.map(racks => ({ racks })) })

// Expected hashes are computed by Apache Kafka 4.3.1.
describe('hash of a topic', () => {
  it('the hash depends on the id, the name and the partitions', () => {
    expect(topic('foo', [])).toBe(-3_487_266_703_511_056_095n)
    expect(topic('foo')).toBe(4_503_016_644_937_083_289n)
    expect(topicHash({ topicId: OTHER_ID, name: 'foo', partitions: partitions(3) })).toBe(5_346_700_231_751_719_293n)
  })

  it('the hash includes the racks of partitions, in any order', () => {
    expect(topic('foo', ['rack2', 'rack1'], ['rack1'], [])).toBe(-4_128_096_936_605_051_936n)
    expect(topic('foo', ['rack1', 'rack2'], ['rack1'], [])).toBe(-4_128_096_936_605_051_936n)
  })

  it("the hash of racks with any characters, of empty and of repeated racks is Kafka's", () => {
    expect(topic('foo', ['aé😀', '\uffff', '', 'z', 'z'])).toBe(-6_624_874_286_955_015_194n)
  })

  it("the hash of the longest topic names is Kafka's", () => {
    expect(topic('x'.repeat(60), [], [])).toBe(1_513_494_649_127_721_812n)
    expect(topic('n'.repeat(249), [])).toBe(-1_241_097_760_863_896_607n)
  })

  it("the hash of many partitions is Kafka's", () => {
    expect(topicHash({ topicId: ID, name: 'many', partitions: partitions(100) })).toBe(1_843_755_864_441_432_308n)
    expect(topicHash({ topicId: ID, name: 'many', partitions: partitions(10_000, 'r1') })).toBe(
      -6_953_110_903_135_111_879n
    )
  })

  it("the hash of inputs of every length is Kafka's", () => {
    let folded = 0n
    for (let count = 0; count < 300; count++) {
      const hash = topicHash({ topicId: ID, name: 'f'.repeat(count % 7), partitions: partitions(count) })
      folded = BigInt.asIntN(64, folded * 31n + hash)
    }
    expect(folded).toBe(-4_651_840_600_484_377_236n)
  })
})

describe('hash of a group', () => {
  const foo = topic('foo', [])
  const bar = topic('foo', ['rack2', 'rack1'], ['rack1'], [])

  it('the hash without topics is 0', () => {
    expect(groupHash(new Map())).toBe(0n)
  })

  it('the hash includes all topics, in any order', () => {
    expect(groupHash(new Map([['foo', foo]]))).toBe(5_803_876_611_364_532_863n)
    const both = new Map([
      ['foo', foo],
      ['bar', bar]
    ])
    expect(groupHash(both)).toBe(-3_569_246_383_204_745_822n)
    expect(groupHash(new Map([...both].toReversed()))).toBe(-3_569_246_383_204_745_822n)
  })

  it("the hash of many topics is Kafka's", () => {
    const hashes = new Map(Array.from({ length: 300 }, (_, at) => [`t${at}`, BigInt(at) * -7_777_777_777_777n]))
    hashes.set('T', -(1n << 63n)).set('é', -1n)
    expect(groupHash(hashes)).toBe(3_542_769_078_347_905_097n)
  })
})
