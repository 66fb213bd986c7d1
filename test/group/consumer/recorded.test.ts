/**
 * Plays the oracle's transcripts of consumer groups against a broker in this process and compares the responses and records with
 * those of Apache Kafka 4.4.0 for the same requests in the same order. The record is the oracle's log of these transcripts
 * (ORACLE_LOG): `grep -E '^\["4.4.0","consumer group (NAME|...)"'`, without slow transcripts.
 */
import { afterAll, beforeAll, describe, it } from 'vitest'
import { MiniKafka } from '../../../src/index.ts'
import { Recording } from '../../interop/oracle/recording.ts'

const RECORD = new Recording(new URL('kafka-4.4.0.jsonl', import.meta.url))

describe('transcripts of consumer groups of Apache Kafka 4.4.0', () => {
  let kafka: MiniKafka

  beforeAll(async () => {
    kafka = await MiniKafka.start()
  })

  afterAll(() => kafka.stop())

  // Sequential, because the transcripts change a setting of the broker.
  it.each(RECORD.transcripts)('the broker answers transcript %s as Kafka does', { timeout: 60_000 }, name =>
    RECORD.play(name, kafka.bootstrapServers)
  )
})
