/**
 * DescribeConfigs: configs of topics, groups and this broker, and the cluster-wide defaults of brokers (KIP-133, KIP-226,
 * KIP-569). Each resource has its own result. Values of unknown configs, which may be secrets, are null.
 */
import { describeConfigs as describe } from '../../../config/describe.ts'
import { handler } from '../../context.ts'
import { configState } from './config-state.ts'

export const describeConfigs = handler('DescribeConfigs', ['nodeId', 'settings', 'metadata'], (request, parts) => ({
  results: describe(request.resources, request, configState(parts))
}))
