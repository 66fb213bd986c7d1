/**
 * CreateTopics: creates topics with configs and replica assignments (KIP-4, KIP-464, KIP-525).
 * - Each topic has its own result; a repeated name gets one INVALID_REQUEST.
 * - `validateOnly` returns the results of a creation, including topic ids, and creates no topic.
 * - Since version 5 the response has the effective configs.
 */
import { createdTopicConfigs } from '../../../config/new-topic.ts'
import { createTopics as decide } from '../../../metadata/decisions/create-topics.ts'
import { handler } from '../../context.ts'
import { recordChanges } from '../../record-changes.ts'

const PARTS = ['replicas', 'metadata', 'settings', 'events'] as const

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
