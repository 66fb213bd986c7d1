// ApiVersions: version ranges and features, at each version; client names; expected cluster and node ids.
import type { DecodedResponseOf } from '../../../../src/protocol/api.ts'
import { APIS } from '../../../../src/protocol/messages/index.ts'
import type { Session } from '../session.ts'
import { atEachVersion, call, type Step } from '../transcript.ts'

const { ApiVersions, DeleteGroups, DescribeCluster, TxnOffsetCommit } = APIS
const client = { clientSoftwareName: 'oracle', clientSoftwareVersion: '1.0' }
const subset = ['apiKeys', 'supportedFeatures', 'finalizedFeatures']

/** APIs with new versions since 4.3. */
const GROWN: ReadonlySet<number> = new Set([ApiVersions.key, DeleteGroups.key, TxnOffsetCommit.key])

/**
 * Compares without values that depend on the release and not on the protocol: the newest metadata.version (that of
 * minikafka is the version of its files), and the newest versions of APIs that have grown.
 */
export function compare({ apiKeys, supportedFeatures, ...rest }: DecodedResponseOf<typeof ApiVersions>): object {
  const ranges = apiKeys.map(({ maxVersion, ...api }) => (GROWN.has(api.apiKey) ? api : { ...api, maxVersion }))
  const levels = supportedFeatures.map(({ maxVersion, ...feature }) =>
    feature.name === 'metadata.version' ? feature : { ...feature, maxVersion }
  )
  return { ...rest, apiKeys: ranges, supportedFeatures: levels }
}

const named = (title: string, clientSoftwareName: string, clientSoftwareVersion = '1.0') =>
  call(title, ApiVersions, 3, { clientSoftwareName, clientSoftwareVersion }, { subset, compare })

const cluster = call('the cluster is learned', DescribeCluster, 0, {})
const expecting = (title: string, expected: (clusterId: string) => { clusterId?: string | null; nodeId?: number }) =>
  call(title, ApiVersions, 5, (session: Session) => ({ ...client, ...expected(cluster.answerTo(session).clusterId) }), {
    subset,
    compare,
    since: '4.4.0'
  })

export const apiVersions: Step[] = [
  ...atEachVersion('what is served', ApiVersions, () => client, { subset, compare, since: { 5: '4.4.0' } }),
  call('the ranges of those that have grown', ApiVersions, 4, client, {
    compare: ({ apiKeys }) => apiKeys.filter(({ apiKey }) => GROWN.has(apiKey)),
    since: '4.4.0'
  }),
  ...['', 'a b', '-a', 'a-', 'ä', 'a.b-c', 'x'.repeat(300)].map(name =>
    named(`a client called "${name.slice(0, 6)}"`, name)
  ),
  named('a version of "?"', 'oracle', '?'),
  named('no version', 'oracle', ''),
  cluster,
  expecting('the right cluster and node', clusterId => ({ clusterId, nodeId: 1 })),
  expecting('the right cluster and another node', clusterId => ({ clusterId, nodeId: 77 })),
  expecting('the right cluster and no node', clusterId => ({ clusterId, nodeId: -1 })),
  expecting('the right cluster and a negative node', clusterId => ({ clusterId, nodeId: -5 })),
  expecting('another cluster and the right node', () => ({ clusterId: 'another', nodeId: 1 })),
  expecting('another cluster and no node', () => ({ clusterId: 'another' })),
  expecting('an empty cluster', () => ({ clusterId: '', nodeId: 1 })),
  expecting('no cluster and the right node', () => ({ clusterId: null, nodeId: 1 })),
  expecting('no cluster and another node', () => ({ clusterId: null, nodeId: 77 })),
  expecting('no cluster and a negative node', () => ({ clusterId: null, nodeId: -5 }))
]
