/** A simulated member of either protocol. A partition is a string of topic id and partition number. */

export interface Client {
  readonly memberId: string
  readonly instanceId: string | null
  /** True from the response that admits the member to the error that makes it join again. */
  readonly isMember: boolean
  /** The epoch or generation that the member assumes. */
  readonly epoch: number
  /** True after a fatal error. */
  readonly isDead: boolean
  /** The assigned partitions and those that are not revoked yet. */
  readonly pending: ReadonlySet<string>
  step(): Promise<void>
  vanish(): void
  leave(): Promise<void>
}

/** The partitions of an assignment. */
export function keysOf(assignment: ReadonlyMap<string, { keys(): Iterable<number> }>): ReadonlySet<string> {
  return new Set(
    [...assignment].flatMap(([topicId, partitions]) => Array.from(partitions.keys(), number => `${topicId} ${number}`))
  )
}

/** Partitions in the form of requests. */
export function topicPartitionsOf(keys: ReadonlySet<string>): { topicId: string; partitions: number[] }[] {
  const topics = new Map<string, number[]>()
  for (const key of keys) {
    const [topicId = '', partition] = key.split(' ')
    topics.set(topicId, [...(topics.get(topicId) ?? []), Number(partition)])
  }
  return [...topics].map(([topicId, partitions]) => ({ topicId, partitions }))
}

export function sameKeys(keys: ReadonlySet<string>, other: ReadonlySet<string> | undefined): boolean {
  return keys.size === other?.size && [...keys].every(key => other.has(key))
}
