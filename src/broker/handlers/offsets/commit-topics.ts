/** The topics of an offset commit or deletion: existing partitions are passed to the coordinator, missing ones get an error. */
import type { CommitResponseTopic, OffsetTopic } from '../../../group/offsets/offsets.ts'
import type { MetadataImage, TopicState } from '../../../metadata/image/image.ts'
import type { ErrorName } from '../../../protocol/errors.ts'
import { ZERO_UUID } from '../../../protocol/wire/bytes.ts'

interface Indexed {
  readonly partitionIndex: number
}

/** The partitions of a commit, separated by existence. */
export interface SortedCommit<Partition> {
  /** The existing partitions. */
  readonly topics: readonly OffsetTopic<Partition>[]
  /**
   * The response of the whole commit, from the results of the existing partitions. As in Kafka, refused partitions come first.
   */
  responseWith(committed: readonly CommitResponseTopic[]): readonly CommitResponseTopic[]
}

/** Separates the partitions of a commit. `byId` is true if the request version identifies topics by id. */
export function sortCommit<Partition extends Indexed>(
  topics: readonly OffsetTopic<Partition>[],
  image: MetadataImage,
  byId: boolean
): SortedCommit<Partition> {
  const sorted = topics.map(topic => splitByExistence(topic, image, byId))
  const refused = sorted.flatMap(topic => topic.refused)
  return {
    topics: sorted.map(({ accepted }) => accepted).filter(({ partitions }) => partitions.length > 0),
    responseWith: committed => (refused.length === 0 ? committed : merged([...refused, ...committed]))
  }
}

interface Sorted<Partition> {
  readonly accepted: OffsetTopic<Partition>
  readonly refused: readonly CommitResponseTopic[]
}

function splitByExistence<Partition extends Indexed>(
  topic: OffsetTopic<Partition>,
  image: MetadataImage,
  byId: boolean
): Sorted<Partition> {
  const { name, topicId, partitions } = topic
  const state = find(topic, image, byId)
  if (!state) {
    const errorCode = byId ? 'UNKNOWN_TOPIC_ID' : 'UNKNOWN_TOPIC_OR_PARTITION'
    return { accepted: { name, topicId, partitions: [] }, refused: [refuse(topic, topic, errorCode)] }
  }
  const there = partitions.filter(({ partitionIndex }) => state.partitions[partitionIndex])
  const missing = partitions.filter(({ partitionIndex }) => !state.partitions[partitionIndex])
  const refused = missing.length === 0 ? [] : [refuse(state, { partitions: missing }, 'UNKNOWN_TOPIC_OR_PARTITION')]
  return { accepted: { name: state.name, topicId: state.topicId, partitions: there }, refused }
}

function find(
  { name, topicId }: Omit<OffsetTopic, 'partitions'>,
  { topicsById, topicsByName }: MetadataImage,
  byId: boolean
): TopicState | undefined {
  if (!byId) return topicsByName.get(name)
  return topicId === ZERO_UUID ? undefined : topicsById.get(topicId)
}

function refuse(
  { name, topicId }: Omit<OffsetTopic, 'partitions'>,
  { partitions }: Pick<OffsetTopic, 'partitions'>,
  errorCode: ErrorName
): CommitResponseTopic {
  return { name, topicId, partitions: partitions.map(({ partitionIndex }) => ({ partitionIndex, errorCode })) }
}

/** Merges the entries of each topic into one. */
function merged(topics: readonly CommitResponseTopic[]): CommitResponseTopic[] {
  const responses = new Map<string, CommitResponseTopic & { partitions: CommitResponseTopic['partitions'][number][] }>()
  for (const { name, topicId, partitions } of topics) {
    const key = `${topicId}/${name}`
    const response = responses.get(key) ?? { name, topicId, partitions: [] }
    responses.set(key, response)
    for (const partition of partitions) response.partitions.push(partition)
  }
  return [...responses.values()]
}
