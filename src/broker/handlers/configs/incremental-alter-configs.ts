/**
 * IncrementalAlterConfigs: sets, deletes, appends to and subtracts from single settings (KIP-339).
 * Each resource succeeds or fails by itself; `validateOnly` changes nothing.
 */
import { incrementalAlterConfigs as decide } from '../../../config/alter.ts'
import { handler } from '../../context.ts'
import { applyAlterations, CONFIG_PARTS, configState } from './config-state.ts'

export const incrementalAlterConfigs = handler('IncrementalAlterConfigs', CONFIG_PARTS, (request, parts) => ({
  responses: applyAlterations(parts, decide(request.resources, configState(parts)), request.validateOnly)
}))
