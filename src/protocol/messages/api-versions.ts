/** ApiVersions: the APIs of this broker with their versions, and the features of the cluster (KIP-35, KIP-511, KIP-584). */
import { api } from '../api.ts'
import { array, boolean, errorCode, int16, int32, int64, nullableString, string } from '../wire/schema.ts'

const KEY = 18
const VERSIONS = [0, 5] as const

export const ApiVersions = api({
  key: KEY,
  name: 'ApiVersions',
  versions: VERSIONS,
  flexibleSince: 3,
  request: {
    clientSoftwareName: string.since(3).or(''),
    clientSoftwareVersion: string.since(3).or(''),
    /** Cluster id and node id of the broker that the client expects; both or neither (KIP-1242). */
    clusterId: nullableString.since(5),
    nodeId: int32.since(5).or(-1)
  },
  response: {
    errorCode,
    apiKeys: array({ apiKey: int16, minVersion: int16, maxVersion: int16 }),
    throttleTimeMs: int32.since(1).or(0),
    /** Clients below version 4 fail on a minVersion of 0 in this field. */
    supportedFeatures: array({ name: string, minVersion: int16, maxVersion: int16 }).tagged(0, 3),
    finalizedFeaturesEpoch: int64.or(-1n).tagged(1, 3),
    finalizedFeatures: array({ name: string, maxVersionLevel: int16, minVersionLevel: int16 }).tagged(2, 3),
    zkMigrationReady: boolean.tagged(3, 3)
  },
  /** An UNSUPPORTED_VERSION response has the versions of ApiVersions itself, so that the client can retry (KIP-511). */
  refuse: (_request, { code }) => ({
    errorCode: code,
    apiKeys: code === 'UNSUPPORTED_VERSION' ? [{ apiKey: KEY, minVersion: VERSIONS[0], maxVersion: VERSIONS[1] }] : []
  })
})
