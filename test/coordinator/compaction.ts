/** Simulates log compaction. */
import type { KeyValue } from '../../src/protocol/keyed-record.ts'

type Batches = readonly (readonly KeyValue[])[]

/**
 * The batches after a cleaning of the first `cleaned` batches: the last record of each key stays. Tombstones of the first
 * `forgotten` batches, which were cleaned long ago, are removed. Empty batches keep their positions.
 */
export function compacted(batches: Batches, cleaned: number, forgotten: number): KeyValue[][] {
  const last = new Map<string, KeyValue>()
  for (const record of batches.slice(0, cleaned).flat()) last.set(record.key.toString('latin1'), record)
  return batches.map((batch, index) =>
    batch.filter(record => {
      if (index >= cleaned) return true
      const isForgotten = record.value === null && index < forgotten
      return !isForgotten && last.get(record.key.toString('latin1')) === record
    })
  )
}
