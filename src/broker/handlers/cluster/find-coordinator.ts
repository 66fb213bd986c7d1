/**
 * FindCoordinator: the node of the coordinator of a group, a transactional id or a share partition (KIP-699).
 * - The internal topic is created by the first request, so that its response already has a node.
 * - Since version 4 a request has many keys, each with its own error; before, it has one key. As in Kafka, the message without an
 *   error is empty, before version 4 the word NONE.
 */
import { GROUP_METADATA_TOPIC_NAME, TRANSACTION_STATE_TOPIC_NAME } from '../../../metadata/topic-names.ts'
import { type ErrorName, KafkaError } from '../../../protocol/errors.ts'
import { handler, type PartsOf, type RequestContext, type Response } from '../../context.ts'
import { type Node, nodesFor } from '../../nodes.ts'
import { each } from '../../per-partition.ts'

type Coordinator = NonNullable<Response<'FindCoordinator'>['coordinators']>[number]

const GROUP = 0
const TRANSACTION = 1
const SHARE = 2
const SHARE_GROUPS_SINCE = 6
const BATCHED_SINCE = 4

const PARTS = ['replicas', 'nodeId', 'listeners', 'settings', 'events'] as const
type CoordinatorParts = PartsOf<typeof PARTS>

export const findCoordinator = handler('FindCoordinator', PARTS, (request, parts, context) => {
  const { keyType, coordinatorKeys, key } = request
  const batched = context.apiVersion >= BATCHED_SINCE
  const coordinators = each(
    batched ? coordinatorKeys : [key],
    parts.events,
    key => found(key, coordinatorOf(key, keyType, parts, context), batched ? '' : 'NONE'),
    (key, { errorCode, error }) => notFound(key, errorCode, error)
  )
  const [only] = coordinators
  return batched || !only ? { coordinators } : only
})

function found(key: string, { nodeId, host, port }: Node, errorMessage: string): Coordinator {
  return { key, errorCode: 'NONE', errorMessage, nodeId, host, port }
}

function notFound(key: string, errorCode: ErrorName, error: unknown): Coordinator {
  const errorMessage = error instanceof KafkaError ? error.message : null
  return { key, errorCode, errorMessage, nodeId: -1, host: '', port: -1 }
}

function coordinatorOf(key: string, keyType: number, parts: CoordinatorParts, context: RequestContext): Node {
  switch (keyType) {
    case GROUP:
      return leaderOf(GROUP_METADATA_TOPIC_NAME, key, parts, context)
    case TRANSACTION:
      return leaderOf(TRANSACTION_STATE_TOPIC_NAME, key, parts, context)
    case SHARE: {
      const code = context.apiVersion < SHARE_GROUPS_SINCE ? 'INVALID_REQUEST' : 'UNSUPPORTED_VERSION'
      throw new KafkaError(code, 'share groups are not supported')
    }
    default:
      throw new KafkaError(
        'INVALID_REQUEST',
        `the key type ${keyType} is unknown; valid are 0 (group) and 1 (transaction)`
      )
  }
}

function leaderOf(topic: string, key: string, parts: CoordinatorParts, { connection }: RequestContext): Node {
  const leader = parts.replicas.leaderOfKey(topic, key)
  const node = nodesFor(parts, connection).find(({ nodeId }) => nodeId === leader)
  if (!node)
    throw new KafkaError('COORDINATOR_NOT_AVAILABLE', `the partition of ${topic} for the key ${key} has no leader`)
  return node
}
