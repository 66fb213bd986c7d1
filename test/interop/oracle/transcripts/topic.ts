// Creates topics for transcripts and waits for them: Kafka's metadata, log and leader become available one after
// another.
import { APIS } from '../../../../src/protocol/messages/index.ts'
import type { Session } from '../session.ts'
import { arrange, type Step } from '../transcript.ts'

/** Creates a topic and waits until each partition responds as leader. Records of any age are retained. */
export function topic(name: string, partitions = 1, configs: Readonly<Record<string, string>> = {}): Step {
  return arrange(`the topic ${name} exists`, async session => {
    const pairs = Object.entries({ 'retention.ms': '-1', ...configs }).map(([key, value]) => ({ name: key, value }))
    const newTopic = { name, numPartitions: partitions, replicationFactor: 1, configs: pairs }
    await session.requestUntil(APIS.CreateTopics, 7, { topics: [newTopic] }, ({ topics }) =>
      ['NONE', 'TOPIC_ALREADY_EXISTS'].includes(topics[0]?.errorCode ?? '')
    )
    await leaders(session, name, partitions)
    const id = await topicId(session, name)
    session.remember(`id of ${name}`, id)
    session.remember(`name of ${id}`, name)
  })
}

/** The id of a topic that an earlier step has created. */
export function idOf(session: Session, name: string): string {
  return `${session.recall(`id of ${name}`)}`
}

/** The name of a topic that an earlier step has created, by its id. */
export function nameOf(session: Session, id: string): string {
  return `${session.recall(`name of ${id}`)}`
}

/** Waits until each of the topic's partitions has its leader. */
export async function leaders(session: Session, name: string, partitions: number): Promise<void> {
  const asked = Array.from({ length: partitions }, (_, partitionIndex) => ({ partitionIndex, timestamp: -1n }))
  await session.requestUntil(APIS.ListOffsets, 7, { topics: [{ name, partitions: asked }] }, ({ topics }) =>
    (topics[0]?.partitions ?? []).every(({ errorCode }) => errorCode === 'NONE')
  )
}

/** Waits for a topic; returns its id. */
export async function topicId(session: Session, name: string): Promise<string> {
  const request = { topics: [{ name }], allowAutoTopicCreation: false }
  const { topics } = await session.requestUntil(
    APIS.Metadata,
    13,
    request,
    answer => answer.topics[0]?.errorCode === 'NONE'
  )
  return topics[0]?.topicId ?? ''
}

/** Waits until Metadata no longer contains a topic. */
export function gone(name: string): Step {
  return arrange(`the topic ${name} is gone`, session =>
    session.requestUntil(
      APIS.Metadata,
      13,
      { topics: [{ name }], allowAutoTopicCreation: false },
      ({ topics }) => topics[0]?.errorCode === 'UNKNOWN_TOPIC_OR_PARTITION'
    )
  )
}
