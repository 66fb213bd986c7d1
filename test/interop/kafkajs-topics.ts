// Creates topics with an admin client of kafkajs.
import type { Admin, ITopicConfig } from 'kafkajs'

/**
 * Creates topics and waits until the broker has their metadata. The wait of kafkajs itself fails with the first
 * UNKNOWN_TOPIC_OR_PARTITION, which an Apache Kafka returns until its metadata has the new topic.
 */
export async function createTopics(admin: Admin, topics: readonly ITopicConfig[]): Promise<void> {
  await admin.createTopics({ topics: [...topics], waitForLeaders: false })
  const names = topics.map(({ topic }) => topic)
  while (!(await hasMetadata(admin, names))) {}
}

const RETRIABLE = new Set(['UNKNOWN_TOPIC_OR_PARTITION', 'LEADER_NOT_AVAILABLE'])

async function hasMetadata(admin: Admin, topics: string[]): Promise<boolean> {
  try {
    await admin.fetchTopicMetadata({ topics })
    return true
  } catch (error) {
    if (error instanceof Error && 'type' in error && RETRIABLE.has(`${error.type}`)) return false
    throw error
  }
}
