/**
 * AlterConfigs: replaces all configs of a resource; configs that the request omits are reset to their defaults (KIP-133). Old
 * clients use it. Each resource has its own result. `validateOnly` changes nothing.
 */
import { alterConfigs as decide } from '../../../config/alter.ts'
import { handler } from '../../context.ts'
import { applyAlterations, CONFIG_PARTS, configState } from './config-state.ts'

export const alterConfigs = handler('AlterConfigs', CONFIG_PARTS, ({ resources, validateOnly }, parts) => ({
  responses: applyAlterations(parts, decide(resources, configState(parts)), validateOnly)
}))
