/** `meta.properties`: the cluster and node of a data directory, in the syntax of Java's properties files. */
import { type Random, randomUuid } from '../../runtime/random.ts'
import { DataDirectoryError } from '../../storage/data-directory-error.ts'
import { replaceFileSynced, type Storage } from '../../storage/storage.ts'

/** Kafka's name for the file. */
export const META_PROPERTIES_FILE = 'meta.properties'

const VERSION = '1'
/** Files that are allowed in a directory without identity: of the file system, and of a first start that crashed. */
const IGNORED_NAMES: ReadonlySet<string> = new Set(['lost+found', `${META_PROPERTIES_FILE}.tmp`])

/** Content of the file. */
export interface MetaProperties {
  readonly clusterId: string
  readonly nodeId: number
  /** Unique id of the directory (Kafka's directory.id). */
  readonly directoryId: string
}

/** Identity of the node. A new directory gets `clusterId`, or a random one if it is undefined. */
export interface Identity {
  readonly nodeId: number
  readonly clusterId?: string | undefined
}

/**
 * Reads the identity of a data directory, or writes one into a new directory. Throws DataDirectoryError if the directory
 * belongs to another node or cluster, has a malformed meta.properties, or holds files but no identity.
 */
export async function claimDirectory(storage: Storage, random: Random, identity: Identity): Promise<MetaProperties> {
  if (storage.exists(META_PROPERTIES_FILE)) return claimExisting(storage, random, identity)
  const foreign = storage.list('').find(({ name }) => !name.startsWith('.') && !IGNORED_NAMES.has(name))
  if (foreign) {
    throw new DataDirectoryError(
      `the data directory holds files (such as '${foreign.name}') but no ${META_PROPERTIES_FILE}: use an empty directory, or a data directory of Kafka or minikafka`
    )
  }
  const meta = {
    clusterId: identity.clusterId ?? randomUuid(random),
    nodeId: identity.nodeId,
    directoryId: randomUuid(random)
  }
  await writeMeta(storage, meta)
  return meta
}

async function claimExisting(storage: Storage, random: Random, identity: Identity): Promise<MetaProperties> {
  const properties = parseProperties(storage.read(META_PROPERTIES_FILE, 0, storage.size(META_PROPERTIES_FILE)))
  const clusterId = properties.get('cluster.id')
  const nodeId = properties.get('node.id')
  if (properties.get('version') !== VERSION || !clusterId || !nodeId || !/^\d+$/.test(nodeId)) {
    throw new DataDirectoryError(
      `${META_PROPERTIES_FILE} of the data directory must have version=${VERSION}, cluster.id and node.id`
    )
  }
  if (Number(nodeId) !== identity.nodeId) {
    throw new DataDirectoryError(
      `the data directory belongs to node.id ${nodeId}, but this broker has node.id ${identity.nodeId}`
    )
  }
  if (identity.clusterId !== undefined && clusterId !== identity.clusterId) {
    throw new DataDirectoryError(
      `the data directory belongs to cluster '${clusterId}', but this broker to cluster '${identity.clusterId}'`
    )
  }
  const existing = properties.get('directory.id')
  const meta = { clusterId, nodeId: identity.nodeId, directoryId: existing ?? randomUuid(random) }
  if (existing === undefined) await writeMeta(storage, meta)
  return meta
}

function writeMeta(storage: Storage, { clusterId, nodeId, directoryId }: MetaProperties): Promise<void> {
  const lines = [
    `version=${VERSION}`,
    `cluster.id=${escaped(clusterId)}`,
    `node.id=${nodeId}`,
    `directory.id=${directoryId}`
  ]
  return replaceFileSynced(storage, META_PROPERTIES_FILE, Buffer.from(`${lines.join('\n')}\n`))
}

/** Parses one property per line, as Kafka writes them. Continuation lines are not supported. */
function parseProperties(bytes: Buffer): Map<string, string> {
  const properties = new Map<string, string>()
  for (const line of bytes.toString('latin1').split(/\r?\n/)) {
    const match = /^\s*([^#!=:\s][^=:\s]*)\s*[=:\s]\s*(.*?)\s*$/.exec(line)
    if (match?.[1] !== undefined && match[2] !== undefined) properties.set(match[1], unescaped(match[2]))
  }
  return properties
}

function escaped(value: string): string {
  return value.replace(/[\\:=#!]/g, '\\$&')
}

function unescaped(value: string): string {
  return value.replace(/\\(.)/g, '$1')
}
