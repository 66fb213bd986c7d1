// A Java producer that lives on while brokers come and go behind its address.
import { javaProgram, javaTask } from './client.ts'
import { startCounting } from './counting.ts'

const CLIENT = '4.4.0'
const RECORD_BYTES = 200
/** As many as an idempotent producer may have. */
const MOST_IN_FLIGHT = 5

/** Where it writes. */
export interface EnduringOptions {
  readonly servers: string
  readonly topic: string
  readonly partitions: number
  /** Requests that wait for their answers at a time. */
  readonly inFlight?: number
}

export interface EnduringProducer {
  /** How many records have been acknowledged, as far as it has told. */
  readonly acknowledged: number
  /** Resolves when that many more have been. */
  more(count: number): Promise<void>
  /** Lets it send what it has, then reads the log: every record once, in order. Resolves with their number. */
  finish(): Promise<number>
  kill(): Promise<void>
}

/** Starts one. The topic must exist, and a broker be there in the end. */
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

/** Reads a topic of that producer's records: every one is there once, in order. */
export async function expectAll(
  { servers, topic, partitions }: EnduringOptions,
  count: number,
  isolation = 'read_uncommitted'
): Promise<void> {
  const group = `readers of ${count} in ${topic}`
  await javaTask(CLIENT, 'consume', servers, topic, partitions, count, RECORD_BYTES, group, isolation)
}
