import { describe, expect, it } from 'vitest'
import { partitionFor } from '../../src/coordinator/partitioner.ts'

describe('the partition of a group', () => {
  // From Java's String.hashCode.
  it.each([
    ['', 0],
    ['hello', 22],
    ['\u00dcn\u00ef-\u{1f600}', 27],
    ['console-consumer-42', 37],
    ['my-group', 12]
  ] as const)('%j is where Kafka looks for it', (groupId, partition) => {
    expect(partitionFor(groupId, 50)).toBe(partition)
  })

  it('the one hash without an absolute value goes to partition 0', () => {
    expect(partitionFor('polygenelubricants', 50)).toBe(0)
  })
})
