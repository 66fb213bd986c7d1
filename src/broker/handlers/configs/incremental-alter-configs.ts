/**
 * IncrementalAlterConfigs: sets, deletes, appends to and subtracts from single configs (KIP-339). Each resource has its own
 * result. `validateOnly` changes nothing.
 */
import { incrementalAlterConfigs as decide } from '../../../config/alter.ts'
import { handler } from '../../context.ts'
import { applyAlterations, CONFIG_PARTS, configState } from './config-state.ts'

export const incrementalAlterConfigs = handler('IncrementalAlterConfigs', CONFIG_PARTS, (request, parts) => ({
  responses: applyAlterations(parts, decide(request.resources, configState(parts)), request.validateOnly)
}))
