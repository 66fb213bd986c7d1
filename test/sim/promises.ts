/** What clients of a broker were promised, each thing by itself, with what was asked for but never answered. */

/** A value that somebody sets now and then. */
export class Fact<T> {
  /** The value promised last. */
  promised: T
  /** What may be found: that, and those asked for since. */
  possible: T[]
  /** Every value that was ever asked for. */
  readonly asked: T[]

  constructor(first: T) {
    this.promised = first
    this.possible = [first]
    this.asked = [first]
  }

  /** From now on it may become that by itself. */
  may(value: T): void {
    this.possible.push(value)
    this.asked.push(value)
  }

  /** Asks for a value; if that returns, what it returns is promised. */
  async set(value: T, ask: () => Promise<T>): Promise<void> {
    this.may(value)
    this.promised = await ask()
    this.possible = [this.promised]
  }
}

/** What one idempotent producer has sent to one partition, a record a batch: sequence numbers are offsets. */
export class Sent {
  readonly topic: string
  readonly topicId: string
  readonly partition: number
  readonly producerId: bigint
  readonly values: string[] = []
  /** So many of them were acknowledged. */
  acknowledged = 0
  /** Whether old records go by themselves. */
  readonly isShort: boolean
  readonly logStart = new Fact(0n)

  constructor(topic: { name: string; topicId: string }, partition: number, producerId: bigint, isShort = false) {
    this.topic = topic.name
    this.topicId = topic.topicId
    this.partition = partition
    this.producerId = producerId
    this.isShort = isShort
  }
}

/** The id of a topic that was asked for and is not known yet. */
export const SOME_ID = 'some id'

/** All that the clients of a broker know. */
export class Promises {
  /** Ids by name; null: there is no such topic. */
  readonly topics = new Map<string, Fact<string | null>>()
  readonly sent: Sent[] = []
  readonly producerIds: bigint[] = []
  readonly committed = new Fact(-1n)
  readonly retentionMs = new Fact('604800000')

  topic(name: string): Fact<string | null> {
    const fact = this.topics.get(name) ?? new Fact<string | null>(null)
    this.topics.set(name, fact)
    return fact
  }
}
