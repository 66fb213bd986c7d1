/** What carries settings: topics, brokers and the like, each by a type and a name. */

/** The types of resources, by Kafka's numbers. */
export const RESOURCE_TYPES = {
  UNKNOWN: 0,
  TOPIC: 2,
  BROKER: 4,
  BROKER_LOGGER: 8,
  CLIENT_METRICS: 16,
  GROUP: 32
} as const

/** A topic, broker or group that carries configs. */
export interface ConfigResource {
  readonly resourceType: number
  readonly resourceName: string
}

/** One text for a resource, to keep and compare it by. */
export function resourceKey(resourceType: number, resourceName: string): string {
  return `${resourceType}:${resourceName}`
}

/** The type and name that a `resourceKey` was made of. */
export function splitResourceKey(key: string): ConfigResource {
  const colon = key.indexOf(':')
  return { resourceType: Number(key.slice(0, colon)), resourceName: key.slice(colon + 1) }
}
