/** What UpdateFeatures decides: levels of features, all or none (KIP-584). */
import { type ErrorName, KafkaError } from '../protocol/errors.ts'
import { finalizedFeatures, supportedFeatures } from './features.ts'
import type { MetadataImage } from './image.ts'
import { type MetadataRecord, metadataRecord } from './records.ts'

/** A level that is asked for. */
export interface FeatureUpdate {
  readonly feature: string
  readonly maxVersionLevel: number
  /** Kafka's numbers: 1 may only raise, 2 and 3 may lower. */
  readonly upgradeType: number
}

export const UPGRADE = 1
const SAFE_DOWNGRADE = 2
const UNSAFE_DOWNGRADE = 3

/** The records of the change. Throws INVALID_UPDATE_VERSION for the first that cannot be. */
export function updateFeatures(image: MetadataImage, updates: readonly FeatureUpdate[]): MetadataRecord[] {
  const levels = new Map(finalizedFeatures(image).map(({ name, maxVersionLevel }) => [name, maxVersionLevel]))
  return updates.map(update => {
    const why = refusal(update, levels.get(update.feature) ?? 0)
    if (why !== undefined) throw invalid(update, why)
    return metadataRecord('FeatureLevelRecord', { name: update.feature, featureLevel: update.maxVersionLevel })
  })
}

function refusal({ feature, maxVersionLevel: level, upgradeType }: FeatureUpdate, current: number): string | undefined {
  if (![UPGRADE, SAFE_DOWNGRADE, UNSAFE_DOWNGRADE].includes(upgradeType)) {
    return 'The controller does not support the given upgrade type.'
  }
  if (level < 0) return 'A feature version cannot be less than 0.'
  const supported = supportedFeatures().find(({ name }) => name === feature)
  if (!supported || level < supported.minVersion || level > supported.maxVersion) {
    const range = supported ? `${supported.minVersion} to ${supported.maxVersion}` : 'none'
    return `This broker supports ${range}.`
  }
  if (level < current && upgradeType === UPGRADE) {
    return "Can't downgrade the version of this feature without setting the upgrade type to either safe or unsafe downgrade."
  }
  return level > current && upgradeType !== UPGRADE ? "Can't downgrade to a newer version." : undefined
}

function invalid({ feature, maxVersionLevel }: FeatureUpdate, why: string): KafkaError {
  const code: ErrorName = 'INVALID_UPDATE_VERSION'
  return new KafkaError(code, `Invalid update version ${maxVersionLevel} for feature ${feature}. ${why}`)
}
