/**
 * Plays the oracle's transcripts of the transaction coordinator against a broker in this process and compares the responses with
 * those that Apache Kafka 4.4.0 gave to the same requests in the same order. The record is the oracle's log of these transcripts
 * (ORACLE_LOG): `grep -E '^\["4.4.0","(init producer id|add to txn|end txn|transaction versions)"'`.
 */
import { afterAll, beforeAll, describe, it } from 'vitest'
import { MiniKafka } from '../../src/index.ts'
import { APIS } from '../../src/protocol/messages/index.ts'
import { Recording } from '../interop/oracle/recording.ts'
import { Session } from '../interop/oracle/session.ts'

const RECORD = new Recording(new URL('kafka-4.4.0.jsonl', import.meta.url))

describe('transcripts of Apache Kafka 4.4.0', () => {
  let kafka: MiniKafka

  beforeAll(async () => {
    kafka = await MiniKafka.start()
    // Creates __consumer_offsets before the first transaction, as in the oracle.
    const session = new Session(kafka.bootstrapServers)
    await session.sendRequest(APIS.FindCoordinator, 4, { coordinatorKeys: ['any'] })
    await session.closeAll()
  })

  afterAll(() => kafka.stop())

  it.each(RECORD.transcripts)('the broker answers transcript %s as Kafka does', name =>
    RECORD.play(name, kafka.bootstrapServers)
  )
})
