// A Java producer that keeps running while brokers behind its address restart.
import { javaProgram, javaTask } from './client.ts'
import { startCounting } from './counting.ts'

const CLIENT = '4.4.0'
const RECORD_BYTES = 200
/** Maximum of max.in.flight.requests.per.connection for an idempotent producer. */
const MOST_IN_FLIGHT = 5

/** Target topic of the producer. */
export interface EnduringOptions {
  readonly servers: string
  readonly topic: string
  readonly partitions: number
  /** Maximum of unacknowledged requests. */
  readonly inFlight?: number
}

export interface EnduringProducer {
  /** Number of acknowledged records that the producer has printed. */
  readonly acknowledged: number
  /** Resolves after `count` further acknowledgements. */
  more(count: number): Promise<void>
  /**
   * Flushes the producer, then reads the log: every record exactly once, in order. Resolves with the number of records.
   */
  finish(): Promise<number>
  kill(): Promise<void>
}

/** Starts a producer. The topic must exist, and a broker must be available eventually. */
export async function startEnduringProducer(options: EnduringOptions): Promise<EnduringProducer> {
  const { servers, topic, partitions, inFlight = MOST_IN_FLIGHT } = options
  const args = ['endure', servers, topic, partitions, RECORD_BYTES, inFlight].map(String)
  const program = startCounting([...(await javaProgram(CLIENT)), ...args])
  return {
    get acknowledged() {
      return program.count
    },
    more: count => program.reaches(program.count + count),
    async finish() {
      const { produced } = JSON.parse(await program.end()) as { produced: number }
      await expectAll(options, produced)
      return produced
    },
    kill: program.kill
  }
}

/** Reads a topic of that producer: every record exactly once, in order. */
export async function expectAll(
  { servers, topic, partitions }: EnduringOptions,
  count: number,
  isolation = 'read_uncommitted'
): Promise<void> {
  const group = `readers of ${count} in ${topic}`
  await javaTask(CLIENT, 'consume', servers, topic, partitions, count, RECORD_BYTES, group, isolation)
}
