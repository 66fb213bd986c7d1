/**
 * CreatePartitions: more partitions for a topic, never fewer (KIP-195).
 * Each topic succeeds or fails by itself; `validateOnly` answers alike and changes nothing.
 */
import { createPartitions as decide } from '../../metadata/create-partitions.ts'
import type { Handler } from '../context.ts'

export const createPartitions: Handler<'CreatePartitions'> = ({ topics, validateOnly }, { parts }) => {
  const { catalog, metadata } = parts
  const { records, results } = decide(metadata.image, topics, catalog.topicRules())
  if (!validateOnly) catalog.change(records)
  return { results }
}
