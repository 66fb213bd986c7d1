// A group of kafkajs members and what all of them tell: no record is left out, and who asks for a share or for records is
// answered when they are there. kafkajs does not say when a member gives partitions up, so owners are counted, not watched.
import type { Consumer, EachMessagePayload, Kafka, Producer } from 'kafkajs'

/** Of every topic of these groups. */
export const PARTITIONS = 10
const PACE_MS = 5
const READ_ON = 300

export class KafkajsGroup {
  readonly #kafka: Kafka
  readonly #topic: string
  readonly #consumers = new Map<string, Consumer>()
  readonly #owned = new Map<string, number>()
  /** The next offset to be read of each partition. */
  readonly #next = new Map<number, number>()
  readonly #wrong: string[] = []
  #seen = 0
  #rounds = 0
  #producing: Promise<void> | undefined
  #isOver = false
  #changed = (): void => {}

  /** The group has the topic's name. */
  constructor(kafka: Kafka, topic: string) {
    this.#kafka = kafka
    this.#topic = topic
  }

  /** A member that commits what it has read, by its own clock and when it leaves. */
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

  /** Waits until so many members share all partitions evenly, and read; answers their shares. */
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

  /** Waits for some more records. */
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

  /** A record to every partition again and again, until the group has to drain. */
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

  /** Ends the production and waits until all of it has been read. */
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
    // kafkajs commits by the clock: who takes over may read again, but never leaves anything out.
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
