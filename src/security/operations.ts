/** What a principal may do with each kind of resource, as the bit fields that Metadata and Describe answers carry. */

/** ACL operation codes of the protocol (KIP-430 counts bits by them). */
const OPERATION = {
  read: 3,
  write: 4,
  create: 5,
  delete: 6,
  alter: 7,
  describe: 8,
  clusterAction: 9,
  describeConfigs: 10,
  alterConfigs: 11,
  idempotentWrite: 12
} as const

type Operation = keyof typeof OPERATION

/** The operations that exist for each kind of resource. */
const OPERATIONS = {
  topic: ['read', 'write', 'create', 'delete', 'alter', 'describe', 'describeConfigs', 'alterConfigs'],
  group: ['read', 'delete', 'describe', 'describeConfigs', 'alterConfigs'],
  cluster: ['create', 'clusterAction', 'describeConfigs', 'alterConfigs', 'idempotentWrite', 'alter', 'describe']
} as const satisfies Record<string, readonly Operation[]>

/** The bit field of all operations on a kind of resource: what everyone may do while there is no authorizer. */
export function allOperations(resource: keyof typeof OPERATIONS): number {
  return OPERATIONS[resource].reduce((bits, operation) => bits | (1 << OPERATION[operation]), 0)
}
