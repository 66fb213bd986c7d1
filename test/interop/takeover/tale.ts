// What becomes of one group while brokers change: steps in which it begins, goes on and changes. Steps of transcripts, played
// in one session for all brokers, so that members go on with what another broker has told them.
import { expect } from 'vitest'
import type { ErrorName } from '../../../src/protocol/errors.ts'
import { APIS } from '../../../src/protocol/messages/index.ts'
import type { Session } from '../oracle/session.ts'
import { arrange, call, type Step } from '../oracle/transcript.ts'

/** The topic that groups read, and its partitions. */
export const TOPIC = 'read'
export const PARTITIONS = 4
/** Nobody is thrown out while brokers change. */
export const TIMEOUT_MS = 300_000

/** One group; lives are counted from 0. */
export interface Tale {
  readonly id: string
  /** How it comes to be, in life 0. */
  begin(): readonly Step[]
  /** Its members go on where the life before has left them, and nothing that can be seen changes by it. */
  goOn(life: number): readonly Step[]
  /** Something happens, as in every life but the first. */
  change(life: number): readonly Step[]
  /** What the broker goes down amid, of which nothing is left. */
  unfinished?(life: number): readonly Step[]
}

/** A step, and what must come of it. */
export function thus(step: Step, expected: object | ((session: Session) => object)): Step {
  return arrange(step.name, async session => {
    const expectedAnswer = typeof expected === 'function' ? expected(session) : expected
    expect(await step.play(session), step.name).toMatchObject(expectedAnswer)
  })
}

/** A step that is answered without an error. */
export function well(step: Step): Step {
  return thus(step, { errorCode: 'NONE' })
}

/** How a commit is told: from outside and without a word, unless it says something. */
interface CommitOptions {
  readonly by?: (session: Session) => { readonly memberId: string; readonly generationIdOrMemberEpoch: number }
  readonly metadata?: string | null
  readonly expected?: ErrorName
}

/** A commit for each partition of the topic, some with a leader epoch. */
export function commits(groupId: string, offset: number, options: CommitOptions = {}): Step {
  const { by, metadata = null, expected = 'NONE' } = options
  const step = call(`${groupId} commits ${offset}`, APIS.OffsetCommit, 9, session => {
    const partitions = Array.from({ length: PARTITIONS }, (_, partitionIndex) => ({
      ...{ partitionIndex, committedOffset: BigInt(offset + partitionIndex), committedMetadata: metadata },
      committedLeaderEpoch: partitionIndex % 2 === 0 ? -1 : 0
    }))
    return { groupId, ...by?.(session), topics: [{ name: TOPIC, partitions }] }
  })
  return thus(step, { topics: [{ partitions: Array(PARTITIONS).fill({ errorCode: expected }) }] })
}

/** A group without members is deleted with all that it had. */
export function deleted(groupId: string): Step {
  const step = call(`${groupId} is deleted`, APIS.DeleteGroups, 2, { groupsNames: [groupId] })
  return thus(step, { results: [{ errorCode: 'NONE' }] })
}
