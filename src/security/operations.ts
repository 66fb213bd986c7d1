/** The operations on each type of resource, and their bit field in Metadata and Describe responses (KIP-430). */

/** Operation codes of the protocol. Each code is also the bit position in the bit field of KIP-430. */
const ACL_OPERATIONS = {
  READ: 3,
  WRITE: 4,
  CREATE: 5,
  DELETE: 6,
  ALTER: 7,
  DESCRIBE: 8,
  CLUSTER_ACTION: 9,
  DESCRIBE_CONFIGS: 10,
  ALTER_CONFIGS: 11,
  IDEMPOTENT_WRITE: 12,
  CREATE_TOKENS: 13,
  DESCRIBE_TOKENS: 14,
  TWO_PHASE_COMMIT: 15
} as const

/** Kafka's AclOperation. */
export type AclOperation = keyof typeof ACL_OPERATIONS

/** Operations by type of resource, for the types whose responses carry a bit field. */
const OPERATIONS = {
  TOPIC: ['READ', 'WRITE', 'CREATE', 'DELETE', 'ALTER', 'DESCRIBE', 'DESCRIBE_CONFIGS', 'ALTER_CONFIGS'],
  GROUP: ['READ', 'DELETE', 'DESCRIBE', 'DESCRIBE_CONFIGS', 'ALTER_CONFIGS'],
  CLUSTER: ['CREATE', 'CLUSTER_ACTION', 'DESCRIBE_CONFIGS', 'ALTER_CONFIGS', 'IDEMPOTENT_WRITE', 'ALTER', 'DESCRIBE']
} as const satisfies Record<string, readonly AclOperation[]>

/** Kafka's ResourceType. */
export type ResourceType = keyof typeof OPERATIONS | 'TRANSACTIONAL_ID' | 'DELEGATION_TOKEN' | 'USER'

/** The bit field with all operations on a type of resource: the value for every principal while there is no authorizer. */
export function allOperations(resourceType: keyof typeof OPERATIONS): number {
  return OPERATIONS[resourceType].reduce((bits, operation) => bits | (1 << ACL_OPERATIONS[operation]), 0)
}
