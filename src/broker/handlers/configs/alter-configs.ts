/**
 * AlterConfigs: replaces all settings of a resource (KIP-133). Old clients use it; what the request leaves out is
 * taken back to its default. Each resource succeeds or fails by itself; `validateOnly` changes nothing.
 */
import { alterConfigs as decide } from '../../../config/alter.ts'
import { handler } from '../../context.ts'
import { applyAlterations, CONFIG_PARTS, configState } from './config-state.ts'

export const alterConfigs = handler('AlterConfigs', CONFIG_PARTS, ({ resources, validateOnly }, parts) => ({
  responses: applyAlterations(parts, decide(resources, configState(parts)), validateOnly)
}))
