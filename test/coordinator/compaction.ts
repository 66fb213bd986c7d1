/** What a log cleaner may make of a log. */
import type { KeyValue } from '../../src/protocol/keyed-record.ts'

type Batches = readonly (readonly KeyValue[])[]

/**
 * The batches after a cleaner has been over the first `cleaned` of them: of each key the last record is left, and of records
 * without a value none that is in the first `forgotten`, which were cleaned long ago. Empty batches keep their places.
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
