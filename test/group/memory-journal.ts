/** A journal in memory that can fail. What was written outlives the coordinator that wrote it. */
import type { GroupJournal } from '../../src/group/partition.ts'
import type { KeyValue } from '../../src/group/records.ts'

export class MemoryJournal implements GroupJournal {
  readonly batches: KeyValue[][] = []
  /** Thrown by every append while it is set. */
  failure: Error | undefined
  /** Answers wait for it. */
  syncing: Promise<void> | undefined

  append(records: readonly KeyValue[]): void {
    if (this.failure) throw this.failure
    this.batches.push([...records])
  }

  replay(each: (record: KeyValue) => void): void {
    for (const record of this.batches.flat()) each(record)
  }

  settled(): Promise<void> | undefined {
    return this.syncing
  }
}
