/**
 * ListConfigResources: the names of resources with configs (KIP-1142). All topics and brokers are listed, but only those groups
 * and client metrics for which a config was set. Version 0 lists client metrics only.
 */
import { RESOURCE_TYPES, splitResourceKey } from '../../../config/resources.ts'
import type { MetadataImage } from '../../../metadata/image/image.ts'
import { KafkaError } from '../../../protocol/errors.ts'
import { handler, type Parts } from '../../context.ts'

const { TOPIC, BROKER, BROKER_LOGGER, CLIENT_METRICS, GROUP } = RESOURCE_TYPES
/** In the order of Kafka's response. */
const LISTED: readonly number[] = [GROUP, CLIENT_METRICS, BROKER_LOGGER, BROKER, TOPIC]

const PARTS = ['nodeId', 'metadata'] as const

export const listConfigResources = handler('ListConfigResources', PARTS, ({ resourceTypes }, parts, { apiVersion }) => {
  const supported = apiVersion === 0 ? [CLIENT_METRICS] : LISTED
  const unknown = resourceTypes.find(type => !supported.includes(type))
  if (unknown !== undefined)
    throw new KafkaError('UNSUPPORTED_VERSION', `the config resource type ${unknown} is unknown`)
  const asked = supported.filter(type => resourceTypes.length === 0 || resourceTypes.includes(type))
  const configResources = asked.flatMap(resourceType =>
    namesOf(resourceType, parts).map(resourceName => ({ resourceName, resourceType }))
  )
  return { errorCode: 'NONE', configResources }
})

function namesOf(resourceType: number, { nodeId, metadata: { image } }: Pick<Parts, 'nodeId' | 'metadata'>): string[] {
  if (resourceType === TOPIC) return [...image.topicsByName.keys()]
  if (resourceType === BROKER || resourceType === BROKER_LOGGER) return [String(nodeId)]
  return configured(resourceType, image)
}

/** The resources of a type for which a config was set. */
function configured(type: number, { configs }: MetadataImage): string[] {
  const resources = [...configs.keys()].map(splitResourceKey)
  return resources.filter(({ resourceType }) => resourceType === type).map(({ resourceName }) => resourceName)
}
