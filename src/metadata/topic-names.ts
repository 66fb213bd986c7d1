/** What a topic may be called, and which names are Kafka's own. */
import { KafkaError } from '../protocol/errors.ts'
import type { MetadataImage } from './image/image.ts'

/** Where groups keep members and offsets. */
export const GROUP_METADATA_TOPIC_NAME = '__consumer_offsets'
/** Where transactional ids keep their state. */
export const TRANSACTION_STATE_TOPIC_NAME = '__transaction_state'
/** Where share groups keep their state. */
export const SHARE_GROUP_STATE_TOPIC_NAME = '__share_group_state'
/** The metadata log, which no client may create, write or see. */
export const CLUSTER_METADATA_TOPIC_NAME = '__cluster_metadata'

const MAX_NAME_LENGTH = 249
const LEGAL_NAME = /^[a-zA-Z0-9._-]*$/

/** Whether Metadata marks the topic as internal. */
export function isInternalTopic(name: string): boolean {
  return (
    name === GROUP_METADATA_TOPIC_NAME || name === TRANSACTION_STATE_TOPIC_NAME || name === SHARE_GROUP_STATE_TOPIC_NAME
  )
}

/** Throws INVALID_TOPIC_EXCEPTION for a name that no topic may have. */
export function checkTopicName(name: string): void {
  const reason = reasonInvalid(name)
  if (reason) throw new KafkaError('INVALID_TOPIC_EXCEPTION', `Topic name is invalid: ${reason}`)
}

function reasonInvalid(name: string): string | undefined {
  if (name === '') return 'the empty string is not allowed'
  if (name === '.' || name === '..') return `'${name}' is not allowed`
  if (name.length > MAX_NAME_LENGTH) {
    return `the length of '${name}' is longer than the max allowed length ${MAX_NAME_LENGTH}`
  }
  if (LEGAL_NAME.test(name)) return undefined
  return `'${name}' contains one or more characters other than ASCII alphanumerics, '.', '_' and '-'`
}

/**
 * What a name is when '.' and '_' are taken for the same, as in the names of metrics: two topics may not be alike in
 * that. Undefined for a name without either.
 */
export function unifiedName(name: string): string | undefined {
  return name.includes('.') || name.includes('_') ? name.replaceAll('.', '_') : undefined
}

/** A present topic that differs from a new name in '.' and '_' only: both would have the same metrics. */
export function collidingTopic({ namesByUnifiedName }: MetadataImage, name: string): string | undefined {
  const unified = unifiedName(name)
  return unified === undefined ? undefined : namesByUnifiedName.get(unified)
}
