/**
 * DescribeCluster: the nodes, with their addresses for clients of this listener (KIP-700, KIP-919). Only brokers can be
 * described: a request for controllers gets MISMATCHED_ENDPOINT_TYPE, an unknown type UNSUPPORTED_ENDPOINT_TYPE.
 */
import { KafkaError } from '../../../protocol/errors.ts'
import { allOperations } from '../../../security/operations.ts'
import { handler } from '../../context.ts'
import { nodesFor } from '../../nodes.ts'

const BROKERS = 1
const CONTROLLERS = 2

const PARTS = ['clusterId', 'nodeId', 'listeners', 'settings'] as const

export const describeCluster = handler('DescribeCluster', PARTS, (request, parts, { connection }) => {
  if (request.endpointType === CONTROLLERS) {
    throw new KafkaError(
      'MISMATCHED_ENDPOINT_TYPE',
      'The request was sent to an endpoint of type BROKER, but we wanted an endpoint of type CONTROLLER'
    )
  }
  if (request.endpointType !== BROKERS) {
    throw new KafkaError('UNSUPPORTED_ENDPOINT_TYPE', `Unsupported endpoint type ${request.endpointType}`)
  }
  const brokers = nodesFor(parts, connection).map(({ nodeId, host, port, rack }) => ({
    brokerId: nodeId,
    host,
    port,
    rack
  }))
  return {
    errorCode: 'NONE',
    endpointType: BROKERS,
    clusterId: parts.clusterId,
    controllerId: parts.nodeId,
    brokers,
    ...(request.includeClusterAuthorizedOperations && { clusterAuthorizedOperations: allOperations('CLUSTER') })
  }
})
