/**
 * Plays the oracle's transcripts of classic groups against a broker in this process and compares the responses with those that
 * Apache Kafka 4.4.0 gave to the same requests in the same order. The record is the oracle's log of these transcripts
 * (ORACLE_LOG): `grep -E '^\["4.4.0","(join group|rebalance|static members|leave group)"'`.
 */
import { afterAll, beforeAll, describe, it } from 'vitest'
import { MiniKafka } from '../../src/index.ts'
import { Recording } from '../interop/oracle/recording.ts'

const RECORD = new Recording(new URL('kafka-4.4.0.jsonl', import.meta.url))
/** The oracle's settings: small groups and short sessions. */
const CONFIG = { 'group.min.session.timeout.ms': 100, 'group.max.size': 4 }

describe('transcripts of Apache Kafka 4.4.0', () => {
  let kafka: MiniKafka

  beforeAll(async () => {
    kafka = await MiniKafka.start({ config: CONFIG })
  })

  afterAll(() => kafka.stop())

  // Concurrent, because the transcripts wait for sessions and rebalances.
  it.concurrent.each(RECORD.transcripts)('the broker answers transcript %s as Kafka does', { timeout: 60_000 }, name =>
    RECORD.play(name, kafka.bootstrapServers)
  )
})
