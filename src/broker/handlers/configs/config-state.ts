/** The input of the config APIs, and the conversion of their decisions to metadata records. */
import type { Alteration } from '../../../config/alter.ts'
import type { ConfigState } from '../../../config/describe.ts'
import { RESOURCE_TYPES } from '../../../config/resources.ts'
import { configsOf } from '../../../metadata/image/image.ts'
import { metadataRecord } from '../../../metadata/records.ts'
import { checkTopicName } from '../../../metadata/topic-names.ts'
import { KafkaError } from '../../../protocol/errors.ts'
import type { PartsOf } from '../../context.ts'
import { recordChanges } from '../../record-changes.ts'

/** The parts that the config APIs use. */
export const CONFIG_PARTS = ['nodeId', 'settings', 'metadata', 'events'] as const
type ConfigParts = PartsOf<typeof CONFIG_PARTS>

export function configState({
  nodeId,
  settings,
  metadata: { image }
}: Omit<ConfigParts, 'replicas' | 'events'>): ConfigState {
  return {
    nodeId,
    settings: settings.inForce,
    topicOverrides: topic =>
      image.topicsByName.has(topic) ? configsOf(image, RESOURCE_TYPES.TOPIC, topic) : undefined,
    groupOverrides: group => configsOf(image, RESOURCE_TYPES.GROUP, group),
    topicNameProblem: nameProblem
  }
}

function nameProblem(topic: string): string | undefined {
  try {
    checkTopicName(topic)
    return undefined
  } catch (error) {
    if (error instanceof KafkaError) return error.message
    throw error
  }
}

/** Writes the alterations of all resources without an error and returns the results of all resources. */
export function applyAlterations(parts: ConfigParts, alterations: readonly Alteration[], validateOnly: boolean) {
  const records = alterations.flatMap(({ resourceType, resourceName, changes }) =>
    changes.map(({ name, value }) => metadataRecord('ConfigRecord', { resourceType, resourceName, name, value }))
  )
  const results = alterations.map(({ changes, ...response }) => response)
  return recordChanges(parts, { records, results }, { validateOnly })
}
