/**
 * Plays the oracle's transcripts of the coordinator's machine against a broker in this process and compares with what
 * Apache Kafka 4.4.0 answered to the same requests, in the same order. The record is what the oracle took down of these
 * transcripts (ORACLE_LOG): `grep -E '^\["4.4.0","(init producer id|add to txn|end txn|transaction versions)"'`.
 */
import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { MiniKafka } from '../../src/index.ts'
import { APIS } from '../../src/protocol/messages/index.ts'
import { differences } from '../interop/oracle/difference.ts'
import { Session } from '../interop/oracle/session.ts'
import { TRANSCRIPTS } from '../interop/oracle/transcripts/index.ts'

type Line = readonly [version: string, transcript: string, step: string, outcome: unknown]

const RECORD = readFileSync(new URL('kafka-4.4.0.jsonl', import.meta.url), 'utf8')
const LINES = RECORD.trimEnd()
  .split('\n')
  .map(line => JSON.parse(line) as Line)

describe('what Apache Kafka 4.4.0 answered', () => {
  let kafka: MiniKafka

  beforeAll(async () => {
    kafka = await MiniKafka.start()
    // Groups have their topic before transactions are asked for, as in the oracle.
    const session = new Session(kafka.bootstrapServers)
    await session.ask(APIS.FindCoordinator, 4, { coordinatorKeys: ['any'] })
    await session.closeAll()
  })

  afterAll(() => kafka.stop())

  it.each([...new Set(LINES.map(([, transcript]) => transcript))])('%s', async name => {
    const session = new Session(kafka.bootstrapServers)
    const recorded = LINES.filter(([, transcript]) => transcript === name)
    const steps = TRANSCRIPTS[name] ?? []
    expect(steps.map(step => step.name)).toEqual(recorded.map(([, , step]) => step))
    for (const [index, [, , step, outcome]] of recorded.entries()) {
      const own: unknown = JSON.parse(JSON.stringify((await steps[index]?.play(session)) ?? null))
      expect(differences(outcome, own), step).toEqual([])
    }
    await session.closeAll()
  })
})
