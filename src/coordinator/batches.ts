/** Records of a coordinator on their way into batches, none larger than its topic allows. */
import type { KeyValue } from '../protocol/keyed-record.ts'

/** As many records as one append may bring, and what they are once encoded. */
export interface Batch<Item> {
  readonly items: Item[]
  readonly encoded: KeyValue[]
  /** Of keys and values; what a batch adds to each is little beside them. */
  bytes: number
}

/** One batch after another; each item is encoded when its turn comes: it may be much larger than what asked for it. */
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
