/**
 * UpdateFeatures: raises or lowers levels of features, all or none (KIP-584).
 * - Up to version 1 every feature has a result of its own, which is that of the whole.
 * - `validateOnly` decides and changes nothing.
 */
import { updateFeatures as decide } from '../../metadata/update-features.ts'
import { KafkaError } from '../../protocol/errors.ts'
import type { Handler } from '../context.ts'

const SAFE_DOWNGRADE = 2

export const updateFeatures: Handler<'UpdateFeatures'> = ({ featureUpdates, validateOnly }, { parts, apiVersion }) => {
  const updates = featureUpdates.map(update => ({
    ...update,
    upgradeType: apiVersion === 0 && update.allowDowngrade ? SAFE_DOWNGRADE : update.upgradeType
  }))
  const names = new Set(updates.map(({ feature }) => feature))
  if (names.size < updates.length) throw new KafkaError('INVALID_REQUEST', 'a feature is named twice')
  const records = decide(parts.metadata.image, updates)
  if (!validateOnly) parts.catalog.change(records)
  const results = updates.map(({ feature }) => ({ feature, errorCode: 'NONE' as const, errorMessage: null }))
  return { errorCode: 'NONE', errorMessage: null, results }
}
