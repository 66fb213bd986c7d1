/** A topic that a coordinator keeps its state in, and its partitions as the coordinator's journals. */
import type { JournalProducer, StateJournal } from '../coordinator/journal.ts'
import type { StateTopic } from '../coordinator/partitions.ts'
import { endingIn } from '../idempotence/ending.ts'
import { Journal } from '../log/partition-log/journal.ts'
import { GROUP_METADATA_TOPIC_NAME } from '../metadata/topic-names.ts'
import type { BatchOptions } from '../protocol/records/builder.ts'
import { ZERO_UUID } from '../protocol/wire/bytes.ts'
import type { Catalog } from '../replica/catalog.ts'
import type { Clock } from '../runtime/clock.ts'
import type { Logger } from '../runtime/logger.ts'

/** Where the topic lives. */
export interface StateTopicWorld {
  readonly catalog: Catalog
  readonly clock: Clock
  readonly logger: Logger
}

export function stateTopic(topic: string, { catalog, clock, logger }: StateTopicWorld): StateTopic {
  return {
    topic,
    logger,
    partitionCount: () => catalog.partitionCount(topic),
    journal: index => stateJournal(topic, index, catalog, clock)
  }
}

/** Batches of groups all begin with sequence 0 in Kafka, whoever they are of: they are not numbered. Others have none. */
function batchOptions(topic: string, producer: JournalProducer | undefined): BatchOptions {
  if (topic !== GROUP_METADATA_TOPIC_NAME) return {}
  return { baseSequence: 0, ...(producer && { ...producer, isTransactional: true }) }
}

/** A partition that nobody has written to yet has no folder, and gets none by being read. */
function stateJournal(topic: string, index: number, catalog: Catalog, clock: Clock): StateJournal {
  return {
    get coordinatorEpoch() {
      return catalog.topic(topic).partitions[index]?.leaderEpoch ?? 0
    },
    append: (records, producer) => {
      catalog.checkInSync(topic, index)
      catalog.partition(topic, index).appendJournal(records, clock, batchOptions(topic, producer))
    },
    maxBatchBytes: () => catalog.rulesOf(topic).maxMessageBytes,
    *replay(reader) {
      if (!catalog.hasLog(topic, index)) return
      const { log, leaderEpoch } = catalog.partition(topic, index)
      yield* new Journal(log, clock, leaderEpoch).replay({
        record: ({ key, value }, { isTransactional, producerId }) =>
          key && reader.record({ key, value }, isTransactional ? producerId : undefined),
        control: batch => {
          const ending = endingIn(batch)
          if (ending) reader.ended?.(ending.producerId, !ending.isAborted)
        }
      })
    },
    settled: () => catalog.find({ name: topic, topicId: ZERO_UUID }, index)?.log.settled()
  }
}
