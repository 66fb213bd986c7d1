/** Decides an UpdateFeatures request: new feature levels, all or none (KIP-584). */
import { KafkaError } from '../../protocol/errors.ts'
import { finalizedFeatures, METADATA_VERSION, supportedFeatures } from '../features.ts'
import type { MetadataImage } from '../image/image.ts'
import { type MetadataRecord, metadataRecord } from '../records.ts'

/** Requested level of a feature. */
export interface FeatureUpdate {
  readonly feature: string
  readonly maxVersionLevel: number
  /** 1 allows only an upgrade; 2 (safe) and 3 (unsafe) allow a downgrade. */
  readonly upgradeType: number
}

export const UPGRADE = 1
const SAFE_DOWNGRADE = 2
const UNSAFE_DOWNGRADE = 3

/**
 * The records of the change. Throws INVALID_UPDATE_VERSION with Kafka's message for the first invalid update. The request then
 * changes no feature.
 */
export function updateFeatures(
  image: MetadataImage,
  updates: readonly FeatureUpdate[],
  nodeId: number
): MetadataRecord[] {
  const levels = new Map(finalizedFeatures(image).map(({ name, maxVersionLevel }) => [name, maxVersionLevel]))
  return updates.map(update => {
    const why = refusal(update, levels.get(update.feature) ?? 0, nodeId)
    if (why !== undefined) throw invalid(update, why)
    return metadataRecord('FeatureLevelRecord', { name: update.feature, featureLevel: update.maxVersionLevel })
  })
}

function refusal(update: FeatureUpdate, current: number, nodeId: number): string | undefined {
  const { feature, maxVersionLevel: level, upgradeType } = update
  if (![UPGRADE, SAFE_DOWNGRADE, UNSAFE_DOWNGRADE].includes(upgradeType)) {
    return 'The controller does not support the given upgrade type.'
  }
  if (level < 0) return 'A feature version cannot be less than 0.'
  const supported = supportedFeatures().find(({ name }) => name === feature)
  const self = `Local controller ${nodeId}`
  if (!supported) return level > 0 ? `${self} does not support this feature.` : `Feature ${feature} not found.`
  const { minVersion, maxVersion } = supported
  if (level < minVersion || level > maxVersion) return `${self} only supports versions ${minVersion}-${maxVersion}`
  if (level < current && upgradeType === UPGRADE) {
    return "Can't downgrade the version of this feature without setting the upgrade type to either safe or unsafe downgrade."
  }
  if (level < current && feature === METADATA_VERSION) {
    return 'Refusing to perform the requested downgrade because it might delete metadata information.'
  }
  return level > current && upgradeType !== UPGRADE ? "Can't downgrade to a newer version." : undefined
}

function invalid({ feature, maxVersionLevel }: FeatureUpdate, why: string): KafkaError {
  const message = `Invalid update version ${maxVersionLevel} for feature ${feature}. ${why}`
  const cause = 'The update failed for all features since the following feature had an error: '
  return new KafkaError('INVALID_UPDATE_VERSION', cause + message)
}
