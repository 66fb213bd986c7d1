import { describe, expect, it } from 'vitest'
import { partitionFor } from '../../src/coordinator/partitioner.ts'

describe('partitions of group ids', () => {
  // Computed by Java's String.hashCode.
  it.each([
    ['', 0],
    ['hello', 22],
    ['\u00dcn\u00ef-\u{1f600}', 27],
    ['console-consumer-42', 37],
    ['my-group', 12]
  ] as const)('group id %j has the same partition as in Kafka', (groupId, partition) => {
    expect(partitionFor(groupId, 50)).toBe(partition)
  })

  it('a group id whose hash is Integer.MIN_VALUE has partition 0', () => {
    expect(partitionFor('polygenelubricants', 50)).toBe(0)
  })
})
