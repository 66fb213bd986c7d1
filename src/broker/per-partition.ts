/** Helpers for requests with many partitions, each of which has its own result or error. */

import type { EventOf, Events } from '../events/event.ts'
import { type ErrorName, KafkaError } from '../protocol/errors.ts'
import { MissingCodecError } from '../protocol/records/compression/codec.ts'
import { forEachYielding } from '../runtime/pace.ts'
import type { MonotonicClock } from '../runtime/time.ts'
import { StorageError } from '../storage/storage.ts'

/** A partition of a request: by topic name, or by topic id if the request has ids. */
export interface PartitionRef {
  readonly topic: string
  readonly topicId: string
  readonly partition: number
}

/** The error of one partition, as its response contains it. */
export interface Failure {
  readonly errorCode: ErrorName
  readonly error: unknown
}

/**
 * The error code of an error that a handler caught. Emits an event for errors that the operator must see: missing codecs, a
 * failing disk, and bugs, which are errors that are not a KafkaError. `request` identifies a request that failed as a whole.
 */
export function failureOf(error: unknown, events: Events, request?: EventOf<'RequestCompleted'>): Failure {
  if (error instanceof MissingCodecError) events.emit({ type: 'CodecMissing', codec: error.codec, error })
  if (error instanceof StorageError) events.emit({ type: 'StorageFailed', error })
  if (error instanceof KafkaError) return { errorCode: error.code, error }
  events.emit({ ...request, type: 'RequestFailed', error })
  return { errorCode: 'UNKNOWN_SERVER_ERROR', error }
}

/** Returns a response for each item. If an item throws, `failed` builds its response, and the other items are not affected. */
export function each<Item, Response>(
  items: readonly Item[],
  events: Events,
  response: (item: Item) => Response,
  failed: (item: Item, failure: Failure) => Response
): Response[] {
  return items.map(item => {
    try {
      return response(item)
    } catch (error) {
      return failed(item, failureOf(error, events))
    }
  })
}

/** Responds to each item, in slices. The responses of all items are awaited together. */
export async function eachYielding<Item, Response>(
  items: Iterable<Item>,
  loop: MonotonicClock,
  response: (item: Item) => Promise<Response>
): Promise<Response[]> {
  const responses: Promise<Response>[] = []
  await forEachYielding(items, loop, item => {
    const pending = response(item)
    // A rejection before the last slice is reported by `Promise.all`.
    pending.catch(() => {})
    responses.push(pending)
  })
  return Promise.all(responses)
}

/** Removes duplicate partitions: the last one counts, at the position of the first. */
export function distinct<Ref extends PartitionRef>(refs: readonly Ref[]): Ref[] {
  const found: Ref[] = []
  const topics = new TopicGroups<Map<number, number>>()
  for (const ref of refs) {
    const positions = topics.of(ref, () => new Map())
    const position = positions.get(ref.partition)
    if (position !== undefined) found[position] = ref
    else positions.set(ref.partition, found.push(ref) - 1)
  }
  return found
}

/** The distinct partitions of a request, by topic. Takes one pass, because a request may repeat a topic thousands of times. */
export function indexesByTopic(
  topics: Iterable<{ readonly name: string; readonly indexes: readonly number[] }>
): Map<string, Set<number>> {
  const all = new Map<string, Set<number>>()
  for (const { name, indexes } of topics) {
    const distinctIndexes = all.get(name) ?? new Set<number>()
    all.set(name, distinctIndexes)
    for (const index of indexes) distinctIndexes.add(index)
  }
  return all
}

/** Groups responses by topic, in the order of the first occurrence. */
export function byTopic<Data>(responses: readonly (PartitionRef & { readonly data: Data })[]) {
  const topics: { topic: string; topicId: string; partitions: Data[] }[] = []
  const groups = new TopicGroups<(typeof topics)[number]>()
  for (const response of responses) {
    const { topic, topicId, data } = response
    const group = groups.of(response, () => {
      const added = { topic, topicId, partitions: [] }
      topics.push(added)
      return added
    })
    group.partitions.push(data)
  }
  return topics
}

/** One value for each topic of a request. Partitions of the same topic in a row need no lookup by name. */
class TopicGroups<Group> {
  readonly #groups = new Map<string, Group>()
  #last: (Pick<PartitionRef, 'topic' | 'topicId'> & { readonly group: Group }) | undefined

  of({ topic, topicId }: PartitionRef, create: () => Group): Group {
    const last = this.#last
    if (last && last.topic === topic && last.topicId === topicId) return last.group
    const key = `${topicId}/${topic}`
    const group = this.#groups.get(key) ?? create()
    this.#groups.set(key, group)
    this.#last = { topic, topicId, group }
    return group
  }
}
