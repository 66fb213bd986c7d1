/**
 * IncrementalAlterConfigs: sets, deletes, appends to and subtracts from single settings (KIP-339).
 * Each resource succeeds or fails by itself; `validateOnly` changes nothing.
 */
import { incrementalAlterConfigs as decide } from '../../../config/alter.ts'
import type { Handler } from '../../context.ts'
import { applyAlterations, configState } from './config-state.ts'

export const incrementalAlterConfigs: Handler<'IncrementalAlterConfigs'> = (
  { resources, validateOnly },
  { parts }
) => ({
  responses: applyAlterations(parts, decide(resources, configState(parts)), validateOnly)
})
