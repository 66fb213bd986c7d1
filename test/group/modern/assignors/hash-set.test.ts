// Expected orders are those of the same sets in Java 17.
import { describe, expect, it } from 'vitest'
import {
  HashSet,
  hashOfInteger,
  hashOfString,
  inHashOrder,
  uuidHashing
} from '../../../../src/group/modern/assignors/hash-set.ts'

const copyOf = (...numbers: number[]) => [...HashSet.copyOf(hashOfInteger, new Set(numbers))]
const multiples = (of: number, count: number) => Array.from({ length: count }, (_, index) => index * of)

describe("iteration order of Java's HashSet", () => {
  it('numbers are ordered by the remainder of the table size', () => {
    const expected = [96, 97, 98, 99, 90, 91, 92, 93, 94, 95]
    expect(copyOf(90, 91, 92, 93, 94, 95, 96, 97, 98, 99)).toEqual(expected)
  })

  it('numbers of the same bin keep the order of their insertion', () => {
    expect(copyOf(32, 1, 16, 0)).toEqual([32, 16, 0, 1])
  })

  it('the order changes when the table grows', () => {
    const set = new HashSet(hashOfInteger).addAll(multiples(7, 13))
    expect([...set]).toEqual([0, 35, 70, 7, 42, 77, 14, 49, 84, 21, 56, 28, 63])
  })

  it('the order changes when a bin would have nine numbers', () => {
    expect(copyOf(...multiples(16, 9))).toEqual([0, 32, 64, 96, 128, 16, 48, 80, 112])
    expect(copyOf(0, 16, 32, 49, 64, 80, 96, 112, 128)).toEqual([0, 16, 32, 64, 80, 96, 112, 128, 49])
  })

  it('the table keeps its size after deletions', () => {
    const set = new HashSet(hashOfInteger).addAll(multiples(1, 13))
    for (let number = 0; number < 11; number++) set.delete(number)
    expect([...set.addAll([16, 1])]).toEqual([1, 11, 12, 16])
  })

  it('addIfAbsent has the order of computeIfAbsent: newest first, and a table that grows later', () => {
    const put = new HashSet(hashOfInteger, 0).addAll([5, 1, 3, 4, 9])
    expect([...put]).toEqual([1, 9, 3, 4, 5])
    const computed = new HashSet(hashOfInteger, 0)
    for (const number of [5, 1, 3, 4, 9]) computed.addIfAbsent(number)
    expect([...computed]).toEqual([9, 1, 3, 4, 5])
  })
})

it('a hash set contains a key once', () => {
  const set = new HashSet(hashOfInteger).addAll([1, 2, 1])
  set.addIfAbsent(2)
  set.delete(3)
  expect([[...set], set.size]).toEqual([[1, 2], 2])
})

it('strings and uuids have the hashes of Java and Kafka', () => {
  expect([hashOfString('hello'), hashOfString('consumer-größe-1')]).toEqual([99162322, 275305630])
  expect(uuidHashing()('uxrVcxm4nNho-w5vaE35kg')).toBe(-1575698858)
})

it('inHashOrder sorts the entries of a map by the hash order of their keys', () => {
  const map = new Map(['consumer-1', 'consumer-2', 'consumer-3', 'b', 'a'].map(key => [key, key.length]))
  const inOrder = inHashOrder(hashOfString, map)
  expect(inOrder.map(([key]) => key)).toEqual(['a', 'b', 'consumer-3', 'consumer-2', 'consumer-1'])
  expect(inOrder[2]).toEqual(['consumer-3', 10])
})
