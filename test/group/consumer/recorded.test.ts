/**
 * Plays the oracle's transcripts of consumer groups against a broker in this process and compares with what Apache Kafka
 * 4.4.0 answered to the same requests, in the same order, and with what it recorded. The record is what the oracle took
 * down of them (ORACLE_LOG): `grep -E '^\["4.4.0","consumer group (NAME|...)"'`, without what takes long.
 */
import { afterAll, beforeAll, describe, it } from 'vitest'
import { MiniKafka } from '../../../src/index.ts'
import { Recording } from '../../interop/oracle/recording.ts'

const RECORD = new Recording(new URL('kafka-4.4.0.jsonl', import.meta.url))

describe('what Apache Kafka 4.4.0 answered to consumer groups', () => {
  let kafka: MiniKafka

  beforeAll(async () => {
    kafka = await MiniKafka.start()
  })

  afterAll(() => kafka.stop())

  // One after the other: they change a setting of the broker.
  it.each(RECORD.transcripts)('%s', { timeout: 60_000 }, name => RECORD.play(name, kafka.bootstrapServers))
})
