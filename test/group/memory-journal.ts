/** A journal in memory that can fail. What was written outlives the coordinator that wrote it. */
import type { GroupJournal } from '../../src/group/partition.ts'
import type { KeyValue } from '../../src/group/records.ts'
import type { Steps } from '../../src/runtime/steps.ts'

export class MemoryJournal implements GroupJournal {
  readonly batches: KeyValue[][] = []
  /** Thrown by every append while it is set. */
  failure: Error | undefined
  /** Called at every append, after it was decided whether that fails. */
  attempted: (() => void) | undefined
  maxBytes = 1_048_588
  /** Answers wait for it. */
  syncing: Promise<void> | undefined

  append(records: readonly KeyValue[]): void {
    const { failure } = this
    if (!failure) this.batches.push([...records])
    this.attempted?.()
    if (failure) throw failure
  }

  maxBatchBytes(): number {
    return this.maxBytes
  }

  *replay(each: (record: KeyValue) => void): Steps {
    for (const batch of this.batches) {
      for (const record of batch) each(record)
      yield
    }
  }

  settled(): Promise<void> | undefined {
    return this.syncing
  }
}
