/**
 * UpdateFeatures: raises or lowers levels of features, all or none (KIP-584).
 * - Up to version 1 every feature has a result of its own, which is that of the whole.
 * - `validateOnly` decides and changes nothing.
 * - Of a feature that is named twice the last level counts. As in Kafka, `allowDowngrade` of version 0 is not looked at.
 */
import { updateFeatures as decide } from '../../../metadata/decisions/update-features.ts'
import type { Handler } from '../../context.ts'

const LAST_VERSION_WITH_RESULTS = 1

export const updateFeatures: Handler<'UpdateFeatures'> = ({ featureUpdates, validateOnly }, { parts, apiVersion }) => {
  const updates = new Map(featureUpdates.map(update => [update.feature, update]))
  const records = decide(parts.metadata.image, [...updates.values()], parts.settings.get('node.id'))
  if (!validateOnly) parts.replicas.change(records)
  const listed = apiVersion <= LAST_VERSION_WITH_RESULTS ? featureUpdates : []
  const results = listed.map(({ feature }) => ({ feature, errorCode: 'NONE' as const, errorMessage: 'NONE' }))
  return { errorCode: 'NONE', errorMessage: null, results }
}
