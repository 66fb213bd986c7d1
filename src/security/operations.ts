/** What a principal may do with each type of resource, and the bit fields of it that Metadata and Describe responses carry. */

/** Codes of the protocol (KIP-430 counts bits by them). */
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

/** The operations on each type of resource whose responses carry a bit field. */
const OPERATIONS = {
  TOPIC: ['READ', 'WRITE', 'CREATE', 'DELETE', 'ALTER', 'DESCRIBE', 'DESCRIBE_CONFIGS', 'ALTER_CONFIGS'],
  GROUP: ['READ', 'DELETE', 'DESCRIBE', 'DESCRIBE_CONFIGS', 'ALTER_CONFIGS'],
  CLUSTER: ['CREATE', 'CLUSTER_ACTION', 'DESCRIBE_CONFIGS', 'ALTER_CONFIGS', 'IDEMPOTENT_WRITE', 'ALTER', 'DESCRIBE']
} as const satisfies Record<string, readonly AclOperation[]>

/** Kafka's ResourceType. */
export type ResourceType = keyof typeof OPERATIONS | 'TRANSACTIONAL_ID' | 'DELEGATION_TOKEN' | 'USER'

/** The bit field of all operations on a type of resource: what everyone may do while there is no authorizer. */
export function allOperations(resourceType: keyof typeof OPERATIONS): number {
  return OPERATIONS[resourceType].reduce((bits, operation) => bits | (1 << ACL_OPERATIONS[operation]), 0)
}
