/** The loop that most handlers share: every partition of every topic of a request gets an answer of its own. */
import { type ErrorName, KafkaError } from '../protocol/errors.ts'
import type { Logger } from '../runtime/logger.ts'
import { forEachYielding } from '../runtime/pace.ts'
import type { MonotonicClock } from '../runtime/time.ts'

/** A partition as a request names it: by the topic's name, or by its id where the request has ids. */
export interface PartitionRef {
  readonly topic: string
  readonly topicId: string
  readonly partition: number
}

/** What went wrong for one partition, as its answer carries it. */
export interface Failure {
  readonly errorCode: ErrorName
  readonly error: unknown
}

/** Where failures that the operator must hear of are told. */
export interface Reporting {
  readonly logger: Logger
  /** Tells what many requests may meet alike, and tells it few times. */
  readonly notice: (error: unknown) => void
}

/** The error code for anything thrown below a handler. What is not meant for a client is our bug, and logged. */
export function failureOf(error: unknown, { logger, notice }: Reporting): Failure {
  notice(error)
  if (error instanceof KafkaError) return { errorCode: error.code, error }
  logger.error({ err: error }, 'a request failed: this is a bug in minikafka')
  return { errorCode: 'UNKNOWN_SERVER_ERROR', error }
}

/** Answers each item; one that throws gets the answer that `failed` makes of it, and the others never notice. */
export function each<Item, Response>(
  items: readonly Item[],
  reporting: Reporting,
  response: (item: Item) => Response,
  failed: (item: Item, failure: Failure) => Response
): Response[] {
  return items.map(item => {
    try {
      return response(item)
    } catch (error) {
      return failed(item, failureOf(error, reporting))
    }
  })
}

/** Answers each item, in slices. The responses of all items are awaited together. */
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

/** Each partition once: of one that a request names twice the last counts, in the place of the first. */
export function distinct<Ref extends PartitionRef>(refs: readonly Ref[]): Ref[] {
  return [...new Map(refs.map(ref => [`${ref.topicId}/${ref.topic}/${ref.partition}`, ref])).values()]
}

/** The partitions that a request names, each once. In one pass: a request may name a topic thousands of times. */
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

/** Answers gathered by topic, in the order in which the topics came. */
export function byTopic<Data>(responses: readonly (PartitionRef & { readonly data: Data })[]) {
  const topics = new Map<string, { topic: string; topicId: string; partitions: Data[] }>()
  for (const { topic, topicId, data } of responses) {
    const entry = topics.get(`${topicId}/${topic}`)
    if (entry) entry.partitions.push(data)
    else topics.set(`${topicId}/${topic}`, { topic, topicId, partitions: [data] })
  }
  return [...topics.values()]
}
