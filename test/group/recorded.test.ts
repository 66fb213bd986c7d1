/**
 * Plays the oracle's transcripts of classic groups against a broker in this process and compares with what Apache Kafka
 * 4.4.0 answered to the same requests, in the same order. The record is what the oracle took down of these transcripts
 * (ORACLE_LOG): `grep -E '^\["4.4.0","(join group|rebalance|static members|leave group)"'`.
 */
import { afterAll, beforeAll, describe, it } from 'vitest'
import { MiniKafka } from '../../src/index.ts'
import { Recording } from '../interop/oracle/recording.ts'

const RECORD = new Recording(new URL('kafka-4.4.0.jsonl', import.meta.url))
/** As in the oracle: groups can be filled, and sessions end, within a test. */
const CONFIG = { 'group.min.session.timeout.ms': 100, 'group.max.size': 4 }

describe('what Apache Kafka 4.4.0 answered', () => {
  let kafka: MiniKafka

  beforeAll(async () => {
    kafka = await MiniKafka.start({ config: CONFIG })
  })

  afterAll(() => kafka.stop())

  // At the same time: they wait for sessions and rebalances that end.
  it.concurrent.each(RECORD.transcripts)('%s', { timeout: 60_000 }, name => RECORD.play(name, kafka.bootstrapServers))
})
