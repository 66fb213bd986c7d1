/**
 * The events of a node: one union over all areas, and the interfaces of emitters and sinks. An event has ids, epochs, offsets and
 * error codes, never a sentence; sinks make log lines, metrics and the event history from it. `error` is the error that caused
 * the event, `detail` the message of an error about damaged bytes. The subjects of an event follow from the names of its fields
 * (history.ts).
 */
import type { BrokerEvent } from './broker-events.ts'
import type { ConnectionEvent } from './connection-events.ts'
import type { GroupEvent } from './group-events.ts'
import type { LogEvent } from './log-events.ts'
import type { MetadataEvent } from './metadata-events.ts'
import type { TransactionEvent } from './transaction-events.ts'

export type Event = BrokerEvent | ConnectionEvent | GroupEvent | LogEvent | MetadataEvent | TransactionEvent

export type EventOf<Type extends Event['type']> = Extract<Event, { readonly type: Type }>

/** The node and the time of an event. */
export interface Stamp {
  readonly nodeId: number
  /** Time of the wall clock. */
  readonly timestampMs: number
}

/** Receives the events of its node. `emit` never throws. */
export interface Events {
  /** Whether a sink uses events of the type now. A frequent event is built only then. */
  isObserved(type: Event['type']): boolean
  emit(event: Event): void
}

/** Receives the stamped events of one or several nodes. Sinks keep events, so an event must never change. */
export interface EventSink {
  emit(event: Event, stamp: Stamp): void
}
