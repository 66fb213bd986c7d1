/** Acknowledged changes of the clients of a broker, and requested changes without a response. */

/** A value that requests change. */
export class Fact<T> {
  /** The last acknowledged value. */
  promised: T
  /** The valid values after a crash: the acknowledged one and those requested since. */
  possible: T[]
  /** All requested values. */
  readonly asked: T[]

  constructor(first: T) {
    this.promised = first
    this.possible = [first]
    this.asked = [first]
  }

  /** From now on the broker can change to that value on its own. */
  may(value: T): void {
    this.possible.push(value)
    this.asked.push(value)
  }

  /** Requests a value; the returned value is acknowledged. */
  async set(value: T, sendRequest: () => Promise<T>): Promise<void> {
    this.may(value)
    this.promised = await sendRequest()
    this.possible = [this.promised]
  }
}

/** The batches of one idempotent producer in one partition, with one record each: sequence numbers equal offsets. */
export class Sent {
  readonly topic: string
  readonly topicId: string
  readonly partition: number
  readonly producerId: bigint
  readonly values: string[] = []
  /** The number of acknowledged batches. */
  acknowledged = 0
  /** True if retention deletes old records. */
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

/** The id of a topic whose creation was requested and whose id is unknown. */
export const SOME_ID = 'some id'

/** The state that the clients of a broker know. */
export class Promises {
  /** Ids by name; null for a missing topic. */
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
