/**
 * ApiVersions: which APIs at which versions, and which features (KIP-35, KIP-511, KIP-584).
 * - A client of version 3 or later names its software; a name that no metric could carry is INVALID_REQUEST.
 * - From version 5 on a client may say which cluster and node it expects, both or none (KIP-1242): INVALID_REQUEST for
 *   one alone, REBOOTSTRAP_REQUIRED where they are others.
 * - Features whose range begins at 0 are told from version 4 on only: older clients refuse them.
 */

import { KafkaError } from '../../../protocol/errors.ts'
import { APIS } from '../../../protocol/messages/index.ts'
import { handler, type Parts, type Request, type RequestContext } from '../../context.ts'

/** The node id of a client that expects no certain node. */
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
    throw new KafkaError('INVALID_REQUEST', 'the name and version of the client software must be plain words')
  }
  if ((clusterId === null) !== (nodeId === NO_NODE)) {
    throw new KafkaError('INVALID_REQUEST', 'a cluster id and a node id are expected together')
  }
  if (clusterId !== null && (clusterId !== ownClusterId || nodeId !== ownNodeId)) {
    throw new KafkaError('REBOOTSTRAP_REQUIRED', `this is node ${ownNodeId} of cluster ${ownClusterId}`)
  }
  connection.client.software = { name, version }
}
