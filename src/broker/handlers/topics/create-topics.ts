/**
 * CreateTopics: new topics with settings, and where their partitions lie (KIP-4, KIP-464, KIP-525).
 * - Each topic succeeds or fails by itself; a name given twice is INVALID_REQUEST for both.
 * - `validateOnly` answers as if the topics had been created, ids and all, and creates none.
 * - From version 5 on the answer tells the settings in force.
 */
import { createdTopicConfigs } from '../../../config/new-topic.ts'
import { createTopics as decide } from '../../../metadata/decisions/create-topics.ts'
import { handler } from '../../context.ts'
import { recordChanges } from '../../record-changes.ts'

const PARTS = ['replicas', 'metadata', 'settings', 'reporting'] as const

export const createTopics = handler('CreateTopics', PARTS, (request, parts) => {
  const { topics } = request
  const { replicas, metadata, settings } = parts
  const results = recordChanges(parts, decide(metadata.image, topics, replicas.topicRules()), request)
  const asked = new Map(topics.map(({ name, configs }) => [name, configs]))
  return {
    topics: results.map(result => {
      if (result.errorCode !== 'NONE') return result
      const overrides = new Map(asked.get(result.name)?.map(({ name, value }) => [name, value ?? '']))
      const configs = createdTopicConfigs(overrides, settings.inForce)
      return { ...result, configs }
    })
  }
})
