/** A simulated member of either protocol. Partitions are named by topic id and number. */

export interface Client {
  readonly memberId: string
  readonly instanceId: string | null
  /** True between the answer that let it in and the one that told it to start anew. */
  readonly isMember: boolean
  /** The epoch or generation that it believes to be in. */
  readonly epoch: number
  /** True for one that was told never to come again. */
  readonly isDead: boolean
  /** The partitions that it was told to have, and those that it has not given up yet. */
  readonly pending: ReadonlySet<string>
  step(): Promise<void>
  vanish(): void
  leave(): Promise<void>
}

/** The names of all partitions of an assignment. */
export function keysOf(assignment: ReadonlyMap<string, { keys(): Iterable<number> }>): ReadonlySet<string> {
  return new Set(
    [...assignment].flatMap(([topicId, partitions]) => Array.from(partitions.keys(), number => `${topicId} ${number}`))
  )
}

/** Partitions as requests have them. */
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
