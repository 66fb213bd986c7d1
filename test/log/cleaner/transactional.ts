/** A compacted log with transactional producers, and a read_committed consumer. */

import { DurableProducers } from '../../../src/idempotence/durable-producers.ts'
import type { BatchObserver } from '../../../src/log/partition-log/batch-observer.ts'
import type { LogConfig } from '../../../src/log/partition-log/log-config.ts'
import type { PartitionLog } from '../../../src/log/partition-log/partition-log.ts'
import { batchesIn } from '../../../src/protocol/records/batch.ts'
import { buildBatch } from '../../../src/protocol/records/builder.ts'
import { controlTypeOf, type TxnResult } from '../../../src/protocol/records/control.ts'
import { recordsOf } from '../../../src/protocol/records/record.ts'
import { Partition } from '../../../src/replica/partition.ts'
import { runAtOnce } from '../../../src/runtime/pace.ts'
import type { MemoryStorage } from '../../../src/storage/memory-storage.ts'
import { RecordingEvents } from '../../../src/testing/recording-events.ts'
import { FOLDER, openLog, reopenAfterCrash } from '../log-fixture.ts'
import { CONFIG, NOW } from './compacted.ts'

/** A key and its value; the value of a tombstone is null. */
export type Entry = readonly [key: string, value: string | null]

/** Opens the partition of a process that has stopped or died. */
export function openPartition(
  storage: MemoryStorage,
  config: Partial<LogConfig> = {},
  after: 'stop' | 'death' = 'stop'
): Partition {
  const open = after === 'death' ? reopenAfterCrash : openLog
  const producers = new DurableProducers({ storage, folder: FOLDER, events: new RecordingEvents() })
  const openedLog = (observer: BatchObserver) => open(storage, { ...CONFIG, ...config }, { observer })
  const role = { kind: 'leader', leaderEpoch: 0, inSyncFollowers: [] } as const
  const partition = new Partition({ topic: 't', index: 0, producers, openLog: openedLog }, role)
  runAtOnce(partition.loading(NOW, 86_400_000))
  return partition
}

/** Appends a batch. Returns the offset of its first record. */
export function write(log: PartitionLog, entries: readonly Entry[], producer: object = {}): bigint {
  const records = entries.map(([key, value]) => ({
    key: Buffer.from(key),
    value: value === null ? null : Buffer.from(value),
    timestamp: BigInt(NOW)
  }))
  return log.append(buildBatch(records, producer), 0).baseOffset
}

/** Ends a transaction. */
export function end(partition: Partition, producerId: bigint, result: TxnResult, producerEpoch = 0): void {
  partition.end({ producerId, producerEpoch, result, coordinatorEpoch: 0, timestamp: BigInt(NOW) }, 0)
}

/**
 * Records of a read_committed consumer that fetches the given number of bytes at a time. As in Kafka's clients, the data of a
 * producer is skipped from the first offset of its aborted transaction to the producer's next marker.
 */
export function* committed(
  log: PartitionLog,
  from: bigint,
  maxBytes: number
): Generator<{ offset: bigint } & { entry: Entry }> {
  for (let offset = from; ; ) {
    const bytes = log.read(offset, { maxBytes, upTo: log.lastStableOffset, minOneBatch: true })
    const expected = log.reader
      .abortedWithin(offset, bytes.length)
      .toSorted((a, b) => Number(a.firstOffset - b.firstOffset))
    const aborted = new Set<bigint>()
    const before = offset
    for (const batch of batchesIn(bytes)) {
      if (batch.nextOffset <= offset) continue
      while (expected[0] && expected[0].firstOffset <= batch.lastOffset)
        aborted.add(expected.shift()?.producerId ?? -1n)
      if (batch.isControl) {
        const [marker] = recordsOf(batch)
        if (marker && controlTypeOf(marker.key) === 'ABORT') aborted.delete(batch.producerId)
      } else if (!(batch.isTransactional && aborted.has(batch.producerId))) {
        for (const record of recordsOf(batch)) {
          if (record.offset < offset) continue
          yield { offset: record.offset, entry: [String(record.key), record.value?.toString() ?? null] }
        }
      }
      offset = batch.nextOffset
    }
    if (offset === before) return
  }
}
