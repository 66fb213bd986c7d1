/** Groups the records of a coordinator into batches of at most `max.message.bytes` of its topic. */
import type { KeyValue } from '../protocol/keyed-record.ts'

/** The items of one append, and their encoded records. */
export interface Batch<Item> {
  readonly items: Item[]
  readonly encoded: KeyValue[]
  /** Size of keys and values. The overhead of the batch format is small and not counted. */
  bytes: number
}

/** Yields one batch at a time. Encodes an item only when its batch is built: a record may be much larger than its item. */
export function* batchesOf<Item>(
  items: readonly Item[],
  maxBytes: number,
  encode: (item: Item) => KeyValue
): Iterable<Batch<Item>> {
  let batch: Batch<Item> = { items: [], encoded: [], bytes: 0 }
  for (const item of items) {
    const encoded = encode(item)
    const bytes = encoded.key.length + (encoded.value?.length ?? 0)
    if (batch.bytes > 0 && batch.bytes + bytes > maxBytes) {
      yield batch
      batch = { items: [], encoded: [], bytes: 0 }
    }
    batch.items.push(item)
    batch.encoded.push(encoded)
    batch.bytes += bytes
  }
  if (batch.bytes > 0) yield batch
}
