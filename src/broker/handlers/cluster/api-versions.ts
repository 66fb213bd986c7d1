/**
 * ApiVersions: the served APIs with their versions, and the features (KIP-35, KIP-511, KIP-584).
 * - Since version 3 clients send the name and version of their software; malformed ones get INVALID_REQUEST.
 * - Since version 5 clients may send the expected cluster id and node id (KIP-1242). One without the other gets INVALID_REQUEST,
 *   a mismatch gets REBOOTSTRAP_REQUIRED.
 * - Features with minVersion 0 are returned since version 4: older clients fail on them.
 */

import { KafkaError } from '../../../protocol/errors.ts'
import { APIS } from '../../../protocol/messages/index.ts'
import { handler, type Parts, type Request, type RequestContext } from '../../context.ts'

/** The node id of a client that expects no particular node. */
const NO_NODE = -1
const SOFTWARE = /^[a-zA-Z0-9](?:[a-zA-Z0-9\-.]*[a-zA-Z0-9])?$/

const CLIENT_SOFTWARE_SINCE = 3
/** Older clients fail on a supported feature whose minVersion is 0. */
const MIN_VERSION_0_SINCE = 4

const apiKeys = Object.values(APIS)
  .map(({ key, versions: [first, last], ...api }) => ({
    apiKey: key,
    minVersion: 'advertisedSince' in api ? (api.advertisedSince ?? first) : first,
    maxVersion: last
  }))
  .sort((a, b) => a.apiKey - b.apiKey)

export const apiVersions = handler('ApiVersions', ['metadata', 'clusterId', 'nodeId'], (request, parts, context) => {
  check(request, parts, context)
  const { apiVersion } = context
  const { supported, finalized, epoch } = parts.metadata.features()
  return {
    errorCode: 'NONE',
    apiKeys,
    supportedFeatures: supported.filter(({ minVersion }) => minVersion > 0 || apiVersion >= MIN_VERSION_0_SINCE),
    finalizedFeaturesEpoch: epoch,
    finalizedFeatures: finalized
  }
})

function check(
  request: Request<'ApiVersions'>,
  { clusterId: ownClusterId, nodeId: ownNodeId }: Pick<Parts, 'clusterId' | 'nodeId'>,
  { apiVersion, connection }: RequestContext
): void {
  const { clientSoftwareName: name, clientSoftwareVersion: version, clusterId, nodeId } = request
  if (apiVersion < CLIENT_SOFTWARE_SINCE) return
  if (!SOFTWARE.test(name) || !SOFTWARE.test(version)) {
    throw new KafkaError(
      'INVALID_REQUEST',
      'clientSoftwareName and clientSoftwareVersion must consist of letters, digits, dots and hyphens'
    )
  }
  if ((clusterId === null) !== (nodeId === NO_NODE)) {
    throw new KafkaError('INVALID_REQUEST', 'the expected cluster id and node id must be given together')
  }
  if (clusterId !== null && (clusterId !== ownClusterId || nodeId !== ownNodeId)) {
    throw new KafkaError('REBOOTSTRAP_REQUIRED', `this is node ${ownNodeId} of cluster ${ownClusterId}`)
  }
  connection.client.software = { name, version }
}
