/** Authorization of a request: the sender, the operation and the resource. Without an authorizer everything is allowed. */
import type { AclOperation, ResourceType } from './operations.ts'

/** Kafka's KafkaPrincipal. */
export interface Principal {
  readonly type: string
  readonly name: string
}

/** The principal of a connection that is not authenticated. */
export const ANONYMOUS: Principal = { type: 'User', name: 'ANONYMOUS' }

/** A resource of the cluster; the name of the cluster itself is `kafka-cluster`. */
export interface Resource {
  readonly type: ResourceType
  readonly name: string
}

/** Tells whether the sender of a request may perform the operation. */
export type Authorize = (operation: AclOperation, resource: Resource) => boolean

/** Kafka's decision where `authorizer.class.name` is empty. */
export const allowAll: Authorize = () => true
