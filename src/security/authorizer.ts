/** Authorization of a request by principal, operation and resource. Without an authorizer every operation is allowed. */
import type { AclOperation, ResourceType } from './operations.ts'

/** Kafka's KafkaPrincipal. */
export interface Principal {
  readonly type: string
  readonly name: string
}

/** The principal of a connection that is not authenticated. */
export const ANONYMOUS: Principal = { type: 'User', name: 'ANONYMOUS' }

/** A resource of the cluster. The cluster itself has the name `kafka-cluster`. */
export interface Resource {
  readonly type: ResourceType
  readonly name: string
}

/** Returns true if the principal of the request may perform the operation. */
export type Authorize = (operation: AclOperation, resource: Resource) => boolean

/** The decision while `authorizer.class.name` is empty, as in Kafka. */
export const allowAll: Authorize = () => true
