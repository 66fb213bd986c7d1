/**
 * UpdateFeatures: raises or lowers levels of features, all or none (KIP-584).
 * - Up to version 1 every feature has a result of its own, which is that of the whole.
 * - `validateOnly` decides and changes nothing.
 * - Of a feature that is named twice the last level counts. As in Kafka, `allowDowngrade` of version 0 is not looked at.
 */
import { updateFeatures as decide } from '../../../metadata/decisions/update-features.ts'
import { handler } from '../../context.ts'

const NO_RESULTS_SINCE = 2

const PARTS = ['metadata', 'nodeId'] as const

export const updateFeatures = handler('UpdateFeatures', PARTS, (request, parts, { apiVersion }) => {
  const { featureUpdates, validateOnly } = request
  const updates = new Map(featureUpdates.map(update => [update.feature, update]))
  const records = decide(parts.metadata.image, [...updates.values()], parts.nodeId)
  if (!validateOnly) parts.metadata.append(records)
  const listed = apiVersion >= NO_RESULTS_SINCE ? [] : featureUpdates
  const results = listed.map(({ feature }) => ({ feature, errorCode: 'NONE' as const, errorMessage: 'NONE' }))
  return { errorCode: 'NONE', errorMessage: null, results }
})
