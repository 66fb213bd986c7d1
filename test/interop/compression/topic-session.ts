/** Produces batches to a topic of the test. */
import { APIS } from '../../../src/protocol/messages/index.ts'
import { Session } from '../oracle/session.ts'

const { CreateTopics, ListOffsets, Produce } = APIS

export class TopicSession {
  readonly #session: Session
  readonly #topic: string

  private constructor(session: Session, topic: string) {
    this.#session = session
    this.#topic = topic
  }

  /** Creates the topic, with one partition and no retention by time, and waits until its leader responds. */
  static async open(
    bootstrapServers: string,
    name: string,
    configs: Readonly<Record<string, string>> = {}
  ): Promise<TopicSession> {
    const session = new Session(bootstrapServers)
    const entries = Object.entries({ 'retention.ms': '-1', ...configs }).map(([name, value]) => ({ name, value }))
    const topics = [{ name, numPartitions: 1, replicationFactor: 1, configs: entries }]
    const created = await session.sendRequest(CreateTopics, 7, { topics })
    const code = typeof created === 'string' ? created : created.topics[0]?.errorCode
    if (code !== 'NONE') throw new Error(`topic ${name} was not created: ${code}`)
    const partitions = [{ partitionIndex: 0, timestamp: -1n }]
    await session.requestUntil(ListOffsets, 7, { topics: [{ name, partitions }] }, answer =>
      answer.topics.every(topic => topic.partitions.every(({ errorCode }) => errorCode === 'NONE'))
    )
    return new TopicSession(session, name)
  }

  /** Produces the batch; returns the error code of the partition. */
  async produce(records: Buffer): Promise<string> {
    const topicData = [{ name: this.#topic, partitionData: [{ index: 0, records }] }]
    const request = { transactionalId: null, acks: -1, timeoutMs: 20_000, topicData }
    const answer = await this.#session.sendRequest(Produce, 12, request)
    return typeof answer === 'string' ? answer : String(answer.responses[0]?.partitionResponses[0]?.errorCode)
  }

  close(): Promise<void> {
    return this.#session.closeAll()
  }
}
