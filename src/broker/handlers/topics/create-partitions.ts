/**
 * CreatePartitions: increases the number of partitions of topics (KIP-195). Each topic has its own result. `validateOnly` returns
 * the same results and changes nothing.
 */
import { createPartitions as decide } from '../../../metadata/decisions/create-partitions.ts'
import { handler } from '../../context.ts'
import { recordChanges } from '../../record-changes.ts'

const PARTS = ['replicas', 'metadata', 'events'] as const

export const createPartitions = handler('CreatePartitions', PARTS, (request, parts) => {
  const { replicas, metadata } = parts
  return { results: recordChanges(parts, decide(metadata.image, request.topics, replicas.topicRules()), request) }
})
