// Produce requests for the transcripts.
import { APIS } from '../../../../src/protocol/messages/index.ts'
import type { Session } from '../session.ts'
import { arrange, type Call, call, type Step } from '../transcript.ts'

const { Produce } = APIS
/** The last version with topic names. */
export const LATEST = 12

export const partition = (records: Buffer | null, index = 0) => ({ index, records })
export const named = (name: string, records: Buffer | null, index = 0) => ({
  name,
  partitionData: [partition(records, index)]
})

type Topic = { name?: string; topicId?: string | undefined; partitionData: ReturnType<typeof partition>[] }

/** A request with acks=all and no transactional id, unless `more` changes them. */
export function request(topicData: Topic[], more: { transactionalId?: string; acks?: number } = {}) {
  return { transactionalId: null, acks: -1, timeoutMs: 5000, topicData, ...more }
}

/** Produces a batch to a topic, accepted or refused. */
export function produced(name: string, records: Buffer | (() => Buffer), into: string): Call<typeof Produce> {
  return call(name, Produce, LATEST, () => request([named(into, typeof records === 'function' ? records() : records)]))
}

/** Appends batches to a partition, as a preparation. */
export function filled(topic: string, batches: readonly Buffer[], index = 0): Step {
  return arrange(`${topic} is filled`, session => fill(session, topic, batches, index))
}

/** Appends them at once. Fails if a batch is refused. */
export async function fill(session: Session, topic: string, batches: readonly Buffer[], index = 0): Promise<void> {
  for (const records of batches) {
    const answer = await session.sendRequest(Produce, 9, request([named(topic, records, index)]))
    const code = typeof answer === 'string' ? answer : answer.responses[0]?.partitionResponses[0]?.errorCode
    if (code !== 'NONE') throw new Error(`${topic} could not be filled: ${code}`)
  }
}
