/** Rules for topic names, and the names of Kafka's internal topics. */
import { KafkaError } from '../protocol/errors.ts'
import type { MetadataImage } from './image/image.ts'

/** State of groups: members and committed offsets. */
export const GROUP_METADATA_TOPIC_NAME = '__consumer_offsets'
/** State of transactional ids. */
export const TRANSACTION_STATE_TOPIC_NAME = '__transaction_state'
/** State of share groups. */
export const SHARE_GROUP_STATE_TOPIC_NAME = '__share_group_state'
/** The metadata log. Clients cannot create, write or list it. */
export const CLUSTER_METADATA_TOPIC_NAME = '__cluster_metadata'

const MAX_NAME_LENGTH = 249
const LEGAL_NAME = /^[a-zA-Z0-9._-]*$/

/** True if Metadata marks the topic as internal. */
export function isInternalTopic(name: string): boolean {
  return (
    name === GROUP_METADATA_TOPIC_NAME || name === TRANSACTION_STATE_TOPIC_NAME || name === SHARE_GROUP_STATE_TOPIC_NAME
  )
}

/** Throws INVALID_TOPIC_EXCEPTION for an invalid topic name. */
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
 * The name with '_' for every '.', as in metric names. Two topics must not have the same unified name. Undefined for a name
 * without either character.
 */
export function unifiedName(name: string): string | undefined {
  return name.includes('.') || name.includes('_') ? name.replaceAll('.', '_') : undefined
}

/**
 * An existing topic whose name differs from `name` only in '.' and '_'; undefined if there is none. Both would have the same
 * metrics.
 */
export function collidingTopic({ namesByUnifiedName }: MetadataImage, name: string): string | undefined {
  const unified = unifiedName(name)
  return unified === undefined ? undefined : namesByUnifiedName.get(unified)
}
