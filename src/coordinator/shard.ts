/**
 * One shard of a coordinator: a partition of its state topic, the state that its records describe, and its timers. A change is
 * first appended to the log, then applied in memory. If the append fails, nothing changes.
 */
import type { Event, Events } from '../events/event.ts'
import { KafkaError } from '../protocol/errors.ts'
import { type KeyValue, SkippedRecord } from '../protocol/keyed-record.ts'
import type { TxnResult } from '../protocol/records/control.ts'
import type { Steps } from '../runtime/pace.ts'
import type { WallClock } from '../runtime/time.ts'
import type { StateLog, StateProducer } from './state-log.ts'
import type { TimerChange, Timers } from './timers.ts'

/** The state of one shard in memory. */
export interface ShardState<Message> {
  /**
   * Applies a record, after its append and on loading. `producerId` is set for a record of a transaction, whose result is not known
   * yet. On loading, throws MalformedFrame for a record that is invalid after the earlier records.
   */
  apply(record: Message, wallMs: number, producerId?: bigint): void
  /** Applies a transaction marker of the log. */
  endTransaction(producerId: bigint, result: TxnResult, wallMs: number): void
}

/** Conversion of a coordinator's records. */
export interface RecordFormat<Message> {
  encode(record: Message): KeyValue
  /** Byte strings of the result may be views of the input. Throws MalformedFrame for malformed bytes. */
  decode(record: KeyValue): Message | SkippedRecord
}

/** The effects of one operation, in the order in which they happen. */
export interface OperationResult<Message, Kind extends string> {
  /** Appended as one batch. */
  readonly records?: readonly Message[]
  /** The producer of transactional records. */
  readonly producer?: StateProducer | undefined
  /** Applies the records in place of ShardState.apply: an operation may have applied them to a copy of its group already. */
  readonly apply?: () => void
  /** Changes of the timers of `subject`. */
  readonly timers?: { readonly subject: string; readonly changes: readonly TimerChange<Kind>[] } | undefined
  readonly events?: readonly Event[]
}

/** The parts of a shard. */
interface ShardParts<State, Message, Kind extends string> {
  readonly state: State
  /** The name of the state topic. */
  readonly topic: string
  readonly log: StateLog
  readonly timers: Timers<Kind>
  readonly format: RecordFormat<Message>
  readonly wall: WallClock
  readonly events: Events
}

export class Shard<State extends ShardState<Message>, Message, Kind extends string> {
  readonly state: State
  readonly timers: Timers<Kind>
  readonly #parts: ShardParts<State, Message, Kind>
  #isLoaded = true

  constructor(parts: ShardParts<State, Message, Kind>) {
    this.state = parts.state
    this.timers = parts.timers
    this.#parts = parts
  }

  /** Applies all records of the log, in steps. Throws MalformedFrame or a KafkaError: the state is then unknown. */
  *load(): Steps {
    const { state, log, format, wall, topic, events } = this.#parts
    const wallMs = wall.now()
    const skipped = new Map<number, SkippedRecord>()
    yield* log.replay({
      record: (keyValue, producerId) => {
        const record = format.decode(keyValue)
        if (record instanceof SkippedRecord) skipped.set(record.recordTypeId, record)
        else state.apply(record, wallMs, producerId)
      },
      ended: (producerId, result) => state.endTransaction(producerId, result, wallMs)
    })
    for (const { recordTypeId, recordType } of skipped.values())
      events.emit({ type: 'CoordinatorRecordsSkipped', topic, recordTypeId, recordType })
  }

  /** Leader epoch of the partition. */
  get coordinatorEpoch(): number {
    return this.#parts.log.coordinatorEpoch
  }

  /**
   * Appends the records of an operation as one batch, applies them, changes the timers and emits the events. If it throws a
   * KafkaError of the log, nothing has changed.
   */
  commit({ records = [], producer, apply, timers, events = [] }: OperationResult<Message, Kind>): void {
    if (records.length > 0) this.#append(records, producer)
    if (apply) apply()
    else this.#apply(records, producer?.producerId)
    if (timers) this.timers.change(timers.subject, timers.changes)
    for (const event of events) this.#parts.events.emit(event)
  }

  /** Appends and applies records that need not be atomic, in several batches if necessary. If it throws, earlier batches remain. */
  commitInParts(records: readonly Message[]): void {
    const { log, format } = this.#parts
    for (const batch of batchesOf(records, log.maxBatchBytes(), format.encode)) {
      log.append(batch.encoded)
      this.#apply(batch.items, undefined)
    }
  }

  /** Removes the shard from memory. Operations that run in steps see it and end. */
  unload(): void {
    this.#isLoaded = false
    this.timers.clear()
  }

  get isLoaded(): boolean {
    return this.#isLoaded
  }

  /** Resolves when responses may be sent that depend on the state; undefined if they may be sent now. */
  settled(): Promise<void> | undefined {
    return this.#parts.log.settled()
  }

  #apply(records: readonly Message[], producerId: bigint | undefined): void {
    const { state, wall } = this.#parts
    const wallMs = wall.now()
    for (const record of records) state.apply(record, wallMs, producerId)
  }

  #append(records: readonly Message[], producer: StateProducer | undefined): void {
    const { log, format } = this.#parts
    const maxBytes = log.maxBatchBytes()
    const encoded: KeyValue[] = []
    let bytes = 0
    for (const record of records) {
      const keyValue = format.encode(record)
      bytes += sizeOf(keyValue)
      if (bytes > maxBytes) {
        throw new KafkaError('RECORD_LIST_TOO_LARGE', `a batch of ${records.length} records exceeds ${maxBytes} bytes`)
      }
      encoded.push(keyValue)
    }
    log.append(encoded, producer)
  }
}

// Records are grouped into batches of at most `max.message.bytes` of the topic.

/** The items of one append, and their encoded records. */
interface Batch<Item> {
  readonly items: Item[]
  readonly encoded: KeyValue[]
  /** Size of keys and values. */
  bytes: number
}

/** Size of key and value. The overhead of the batch format is small and not counted. */
function sizeOf({ key, value }: KeyValue): number {
  return key.length + (value?.length ?? 0)
}

/** Yields one batch at a time. Encodes an item only when its batch is built: a record may be much larger than its item. */
function* batchesOf<Item>(
  items: readonly Item[],
  maxBytes: number,
  encode: (item: Item) => KeyValue
): Iterable<Batch<Item>> {
  let batch: Batch<Item> = { items: [], encoded: [], bytes: 0 }
  for (const item of items) {
    const encoded = encode(item)
    const bytes = sizeOf(encoded)
    if (batch.bytes > 0 && batch.bytes + bytes > maxBytes) {
      yield batch
      batch = { items: [], encoded: [], bytes: 0 }
    }
    batch.items.push(item)
    batch.encoded.push(encoded)
    batch.bytes += bytes
  }
  if (batch.bytes > 0) yield batch
}
