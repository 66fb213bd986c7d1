/**
 * UpdateFeatures: changes the finalized levels of features, all or none (KIP-584).
 * - Up to version 1 every feature has a result, which equals that of the whole request.
 * - `validateOnly` validates the updates and changes nothing.
 * - If a feature is repeated, its last level counts. As in Kafka, `allowDowngrade` of version 0 is ignored.
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
