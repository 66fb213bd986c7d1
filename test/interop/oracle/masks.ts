// Masks values in which two correct brokers may differ. A random id becomes the name of the step in which it first
// appeared, so the same id must reappear where Kafka repeats it. Addresses and current times become words, messages
// become "some text", and lists without a defined order are sorted.
import { ZERO_UUID } from '../../../src/protocol/wire/bytes.ts'
import { recordsView } from './records-view.ts'

/** Fields with random ids, and the words that replace them. */
const IDS: Readonly<Record<string, string>> = {
  topicId: 'topic',
  memberId: 'member',
  leader: 'member',
  producerId: 'producer',
  sessionId: 'session',
  clusterId: 'cluster'
}
const NO_ID = new Set<unknown>(['', ZERO_UUID, 0, -1, -1n, null])
const TEXTS = new Set(['errorMessage', 'batchIndexErrorMessage', 'documentation'])
const WORDS: Readonly<Record<string, string>> = { host: '<host>', port: '<port>', finalizedFeaturesEpoch: '<epoch>' }
/** Fields by which list elements are sorted; the first present field counts. */
const SORT_KEYS = [
  ...['name', 'topic', 'groupId', 'key', 'resourceName', 'partitionIndex', 'partition', 'index', 'apiKey'],
  ...['transactionalId', 'producerId']
]
/** Lists with a defined order. */
const ORDERED = new Set(['batches', 'abortedTransactions'])
const DAY_MS = 86_400_000

/** The masks of one session. */
export class Masks {
  readonly #names = new Map<unknown, string>()
  #step = ''
  #idsInStep = 0

  /** A copy of a step's response with these values masked. */
  mask(step: string, answer: unknown): unknown {
    this.#step = step
    this.#idsInStep = 0
    return this.#apply(answer)
  }

  #apply(value: unknown, field = ''): unknown {
    if (value === null || value === undefined) return value
    if (Buffer.isBuffer(value))
      return field === 'records' ? this.#apply(recordsView(value), 'batches') : value.toString('hex')
    if (field === 'activeProducers' && Array.isArray(value)) return this.#producers(value)
    if (Array.isArray(value)) return sorted(value, field).map(element => this.#apply(element, field))
    if (typeof value === 'object') {
      return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, this.#apply(inner, name)]))
    }
    return this.#scalar(value, field)
  }

  /**
   * Sorts producers by their actions, then by their ids: the order in which they get their ids is random.
   */
  #producers(producers: readonly unknown[]): unknown[] {
    const nameOf = (producer: unknown) => this.#names.get(keyOf(producer, 'producerId')) ?? '~'
    const byDeeds = (a: unknown, b: unknown) => compareKeys(withoutId(a), withoutId(b))
    const inOrder = producers.toSorted((a, b) => byDeeds(a, b) || compareKeys(nameOf(a), nameOf(b)))
    return inOrder.map(producer => this.#apply(producer))
  }

  #scalar(value: unknown, field: string): unknown {
    const kind = IDS[field]
    if (kind !== undefined && !NO_ID.has(value)) return this.#nameOf(kind, value)
    if (TEXTS.has(field)) return value === '' ? '' : '<text>'
    if (field in WORDS) return value === '' || value === -1 ? value : WORDS[field]
    if (typeof value !== 'bigint') return value
    return Math.abs(Number(value) - Date.now()) < DAY_MS ? '<now>' : `${value}n`
  }

  #nameOf(kind: string, id: unknown): string {
    const existing = this.#names.get(id)
    if (existing !== undefined) return existing
    const name = `<${kind} ${++this.#idsInStep} of ${this.#step}>`
    this.#names.set(id, name)
    return name
  }
}

function sorted(elements: readonly unknown[], field: string): readonly unknown[] {
  if (ORDERED.has(field)) return elements
  if (field === 'partitions' && typeof elements[0] === 'number') return elements.toSorted(compareKeys)
  const key = sortKey(elements[0])
  if (key === undefined) return elements
  return elements.toSorted((a, b) => compareKeys(keyOf(a, key), keyOf(b, key)))
}

/** The field that identifies a list element, if it has one. */
export function sortKey(element: unknown): string | undefined {
  if (typeof element !== 'object' || element === null) return undefined
  return SORT_KEYS.find(key => keyOf(element, key) !== undefined && keyOf(element, key) !== '')
}

/** The value of that field. */
export function keyOf(element: unknown, key: string): unknown {
  return (element as Readonly<Record<string, unknown>>)[key]
}

function withoutId(producer: unknown): string {
  const { producerEpoch, lastSequence, currentTxnStartOffset } = producer as Readonly<Record<string, unknown>>
  return `${producerEpoch}/${lastSequence}/${currentTxnStartOffset}`
}

function compareKeys(a: unknown, b: unknown): number {
  if (typeof a === 'number' && typeof b === 'number') return a - b
  if (typeof a === 'bigint' && typeof b === 'bigint') return Number(a - b)
  return `${a}` < `${b}` ? -1 : Number(`${a}` > `${b}`)
}
