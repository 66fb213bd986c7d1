/** The topic of a coordinator's state. Its partitions are the logs of the coordinator's shards. */
import type { Settings } from '../config/settings.ts'
import type { StateLog, StateProducer, StateTopic } from '../coordinator/state-log.ts'
import { replayJournal } from '../log/partition-log/journal.ts'
import { VALIDATION_ROWS } from '../log/partition-log/validator.ts'
import { GROUP_METADATA_TOPIC_NAME } from '../metadata/topic-names.ts'
import type { BatchOptions } from '../protocol/records/builder.ts'
import { readEndTxnMarker } from '../protocol/records/control.ts'
import { ZERO_UUID } from '../protocol/wire/bytes.ts'
import type { Replicas } from '../replica/replicas.ts'
import type { Clocks } from '../runtime/time.ts'

/** The parts that this module uses. */
export interface StateTopicWorld {
  readonly replicas: Replicas
  readonly settings: Settings
  readonly clocks: Clocks
}

export function stateTopic(topic: string, world: StateTopicWorld): StateTopic {
  return {
    topic,
    partitionCount: () => world.replicas.partitionCount(topic),
    leads: index => world.replicas.leads(topic, index),
    log: index => stateLog(topic, index, world)
  }
}

/**
 * Kafka writes all batches of `__consumer_offsets` with base sequence 0, also those of transactions. Batches of other topics have
 * no sequence.
 */
function batchOptions(topic: string, producer: StateProducer | undefined): BatchOptions {
  if (topic !== GROUP_METADATA_TOPIC_NAME) return {}
  return { baseSequence: 0, ...(producer && { ...producer, isTransactional: true }) }
}

/** A partition without records has no folder; reading it creates none. */
function stateLog(topic: string, index: number, { replicas, settings, clocks }: StateTopicWorld): StateLog {
  const { wall } = clocks
  return {
    get coordinatorEpoch() {
      return replicas.topic(topic).partitions[index]?.leaderEpoch ?? 0
    },
    append: (records, producer) => {
      const partition = replicas.leading(topic, index)
      replicas.checkInSync(topic, index)
      partition.appendJournal(records, wall, batchOptions(topic, producer))
    },
    maxBatchBytes: () => settings.topic(topic).view(VALIDATION_ROWS).maxMessageBytes,
    *replay(reader) {
      if (!replicas.hasLog(topic, index)) return
      yield* replayJournal(replicas.leading(topic, index).log, {
        record: ({ key, value }, { isTransactional, producerId }) =>
          key && reader.record({ key, value }, isTransactional ? producerId : undefined),
        control: batch => {
          const marker = readEndTxnMarker(batch)
          if (marker) reader.ended(marker.producerId, marker.result)
        }
      })
    },
    settled: () => replicas.find({ name: topic, topicId: ZERO_UUID }, index)?.replicated()
  }
}
