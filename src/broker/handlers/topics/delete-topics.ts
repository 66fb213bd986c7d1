/**
 * DeleteTopics: by name, since version 6 also by id (KIP-516). Delayed requests for a deleted topic are completed. Its files are
 * deleted after `file.delete.delay.ms`.
 */
import { deleteTopics as decide, refuseDeletion } from '../../../metadata/decisions/delete-topics.ts'
import { ZERO_UUID } from '../../../protocol/wire/bytes.ts'
import { handler } from '../../context.ts'
import { recordChanges } from '../../record-changes.ts'

const TOPIC_IDS_SINCE = 6

const PARTS = ['metadata', 'settings', 'events'] as const

export const deleteTopics = handler('DeleteTopics', PARTS, ({ topics, topicNames }, parts, { apiVersion }) => {
  const { metadata, settings } = parts
  const asked = apiVersion >= TOPIC_IDS_SINCE ? topics : topicNames.map(name => ({ name, topicId: ZERO_UUID }))
  if (!settings.get('delete.topic.enable')) return { responses: refuseDeletion(asked, apiVersion) }
  return { responses: recordChanges(parts, decide(metadata.image, asked), { validateOnly: false }) }
})
