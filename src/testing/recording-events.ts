/** Keeps events in memory, for assertions in our own tests. Implements Events and EventSink. */
import type { Event, EventOf, EventSink, Events } from '../events/event.ts'

export class RecordingEvents implements Events, EventSink {
  readonly #events: Event[] = []

  isObserved(): boolean {
    return true
  }

  emit(event: Event): void {
    this.#events.push(event)
  }

  get all(): readonly Event[] {
    return this.#events
  }

  /** The events of a type, in the order of their emission. */
  of<Type extends Event['type']>(type: Type): readonly EventOf<Type>[] {
    return this.#events.filter((event): event is EventOf<Type> => event.type === type)
  }

  /** Removes the events recorded so far and returns them. */
  take(): Event[] {
    return this.#events.splice(0)
  }
}
