/**
 * DescribeConfigs: settings of topics, of this broker, and the cluster's defaults for brokers (KIP-133, KIP-226, KIP-569).
 * Each resource has an answer of its own; the values of settings that nobody here knows, which may be secrets, are null.
 */
import { describeConfigs as describe } from '../../../config/describe.ts'
import { handler } from '../../context.ts'
import { configState } from './config-state.ts'

export const describeConfigs = handler('DescribeConfigs', ['nodeId', 'settings', 'metadata'], (request, parts) => ({
  results: describe(request.resources, request, configState(parts))
}))
