// ApiVersions: ranges and features, at each version, and beyond the last.
import { APIS } from '../../../../src/protocol/messages/index.ts'
import { atEachVersion, call, type Step } from '../transcript.ts'

const { ApiVersions } = APIS
const client = { clientSoftwareName: 'oracle', clientSoftwareVersion: '1.0' }
const subset = ['apiKeys', 'supportedFeatures', 'finalizedFeatures']

export const apiVersions: Step[] = [
  ...atEachVersion('what is served', ApiVersions, () => client, { subset }),
  ...['', 'a b', '-a', 'ä', 'x'.repeat(300)].map(name =>
    call(`a client called "${name.slice(0, 5)}"`, ApiVersions, 3, { ...client, clientSoftwareName: name }, { subset })
  ),
  call('a version of "?"', ApiVersions, 4, { ...client, clientSoftwareVersion: '?' }, { subset }),
  call('a cluster id that is another', ApiVersions, 5, { ...client, clusterId: 'another', nodeId: 1 }, { subset }),
  call('a node id that is another', ApiVersions, 5, { ...client, nodeId: 77 }, { subset })
]
