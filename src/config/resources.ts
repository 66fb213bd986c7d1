/** Config resources: topics, brokers and other carriers of configs, each with a type and a name. */

/** The codes of resource types in the protocol. */
export const RESOURCE_TYPES = {
  UNKNOWN: 0,
  TOPIC: 2,
  BROKER: 4,
  BROKER_LOGGER: 8,
  CLIENT_METRICS: 16,
  GROUP: 32
} as const

/** A config resource, such as a topic, broker or group. */
export interface ConfigResource {
  readonly resourceType: number
  readonly resourceName: string
}

/** The key of a resource in maps. */
export function resourceKey(resourceType: number, resourceName: string): string {
  return `${resourceType}:${resourceName}`
}

/** The resource of a `resourceKey`. */
export function splitResourceKey(key: string): ConfigResource {
  const colon = key.indexOf(':')
  return { resourceType: Number(key.slice(0, colon)), resourceName: key.slice(colon + 1) }
}
