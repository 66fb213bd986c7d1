// A group of kafkajs members. Checks that no record is skipped and that members get their share in time. kafkajs has no
// event for revoked partitions, so the owners of a partition are counted and not compared.
import type { Consumer, EachMessagePayload, Kafka, Producer } from 'kafkajs'

/** Partitions of each topic of these groups. */
export const PARTITIONS = 10
const PACE_MS = 5
const READ_ON = 300

export class KafkajsGroup {
  readonly #kafka: Kafka
  readonly #topic: string
  readonly #consumers = new Map<string, Consumer>()
  readonly #owned = new Map<string, number>()
  /** Next expected offset of each partition. */
  readonly #next = new Map<number, number>()
  readonly #wrong: string[] = []
  #seen = 0
  #rounds = 0
  #producing: Promise<void> | undefined
  #isOver = false
  #changed = (): void => {}

  /** The group id is the topic name. */
  constructor(kafka: Kafka, topic: string) {
    this.#kafka = kafka
    this.#topic = topic
  }

  /** Adds a member that commits consumed offsets periodically and when it leaves. */
  async join(name: string): Promise<void> {
    const consumer = this.#kafka.consumer({
      groupId: this.#topic,
      heartbeatInterval: 200,
      sessionTimeout: 30_000,
      maxWaitTimeInMs: 50
    })
    consumer.on(consumer.events.GROUP_JOIN, ({ payload }) => {
      this.#owned.set(name, Object.values(payload.memberAssignment).flat().length)
      this.#changed()
    })
    consumer.on(consumer.events.CRASH, ({ payload }) => {
      if (!payload.restart) this.#fail(`${name} ends by ${payload.error}`)
    })
    this.#consumers.set(name, consumer)
    await consumer.connect()
    await consumer.subscribe({ topic: this.#topic, fromBeginning: true })
    await consumer.run({ autoCommitInterval: 50, eachMessage: async payload => this.#take(name, payload) })
  }

  async leave(name: string): Promise<void> {
    await this.#consumers.get(name)?.disconnect()
    this.#consumers.delete(name)
    this.#owned.delete(name)
  }

  owned(name: string): number {
    return this.#owned.get(name) ?? 0
  }

  /** Waits until `members` members own equal shares of all partitions, and consume. Returns the shares. */
  async balance(members: number): Promise<string> {
    const least = Math.floor(PARTITIONS / members)
    const shares = () => [...this.#owned.values()].sort((a, b) => a - b)
    await this.#until(() => {
      const all = shares()
      return all.length === members && (all[0] ?? 0) >= least && all.reduce((sum, share) => sum + share) === PARTITIONS
    })
    const result = shares().join('+')
    await this.readsOn()
    return result
  }

  /** Waits for further records. */
  async readsOn(): Promise<void> {
    const goal = this.#seen + READ_ON
    await this.#until(() => this.#seen >= goal)
  }

  async send(partition: number, ...values: string[]): Promise<void> {
    const producer = this.#kafka.producer()
    await producer.connect()
    await producer.send({ topic: this.#topic, messages: values.map(value => ({ partition, value })) })
    await producer.disconnect()
  }

  /** Produces a record to every partition, repeatedly, until `drain`. */
  async produceOn(): Promise<void> {
    const producer = this.#kafka.producer({ idempotent: true, maxInFlightRequests: 1 })
    await producer.connect()
    this.#producing = this.#produce(producer).catch(error => this.#fail(`the producer: ${error}`))
  }

  async #produce(producer: Producer): Promise<void> {
    const messages = Array.from({ length: PARTITIONS }, (_, partition) => ({ partition, value: 'x'.repeat(50) }))
    while (!this.#isOver) {
      await producer.send({ topic: this.#topic, messages })
      this.#rounds++
      await new Promise(resolve => setTimeout(resolve, PACE_MS))
    }
    await producer.disconnect()
  }

  /** Stops producing and waits until all records have been consumed. */
  async drain(): Promise<void> {
    this.#isOver = true
    await this.#producing
    const isRead = (partition: number) => this.#next.get(partition) === this.#rounds
    await this.#until(() => Array.from({ length: PARTITIONS }, (_, partition) => partition).every(isRead))
  }

  async end(): Promise<void> {
    this.#isOver = true
    await this.#producing
    await Promise.all([...this.#consumers.keys()].map(name => this.leave(name)))
  }

  #take(name: string, { partition, message }: EachMessagePayload): void {
    const next = this.#next.get(partition) ?? 0
    const offset = Number(message.offset)
    // kafkajs commits periodically: a new owner may consume records again, but never skips any.
    if (offset > next) this.#fail(`${name} reads ${partition} at ${offset}, not ${next}`)
    this.#next.set(partition, Math.max(next, offset + 1))
    this.#seen++
    this.#changed()
  }

  #fail(why: string): void {
    this.#wrong.push(why)
    this.#changed()
  }

  async #until(holds: () => boolean): Promise<void> {
    for (;;) {
      if (this.#wrong.length > 0) throw new Error(this.#wrong[0])
      if (holds()) return
      await new Promise<void>(resolve => {
        this.#changed = resolve
      })
    }
  }
}
