// The life of one group while brokers change: steps that create, continue and change it. Steps are those of the
// oracle's transcripts. One session for all brokers keeps the state of the members.
import { expect } from 'vitest'
import type { ErrorName } from '../../../src/protocol/errors.ts'
import { APIS } from '../../../src/protocol/messages/index.ts'
import type { Session } from '../oracle/session.ts'
import { arrange, call, type Step } from '../oracle/transcript.ts'

/** The topic that groups read, and its partitions. */
export const TOPIC = 'read'
export const PARTITIONS = 4
/** A long timeout: no member is fenced while brokers change. */
export const TIMEOUT_MS = 300_000

/** A group. Phases are counted from 0. */
export interface GroupScenario {
  readonly id: string
  /** Creates the group, in phase 0. */
  begin(): readonly Step[]
  /** Members continue with the state of the phase before. Changes nothing that is visible. */
  resume(phase: number): readonly Step[]
  /** Changes the group, in each phase but the first. */
  change(phase: number): readonly Step[]
  /** Steps in progress when the broker goes down; they leave no state. */
  unfinished?(phase: number): readonly Step[]
}

/** A step with the expected outcome. */
export function expecting(step: Step, expected: object | ((session: Session) => object)): Step {
  return arrange(step.name, async session => {
    const expectedAnswer = typeof expected === 'function' ? expected(session) : expected
    expect(await step.play(session), step.name).toMatchObject(expectedAnswer)
  })
}

/** A step that succeeds. */
export function succeeding(step: Step): Step {
  return expecting(step, { errorCode: 'NONE' })
}

/** The member and metadata of a commit; by default without membership. */
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
  return expecting(step, { topics: [{ partitions: Array(PARTITIONS).fill({ errorCode: expected }) }] })
}

/** Deletes a group without members, with its offsets. */
export function deleted(groupId: string): Step {
  const step = call(`${groupId} is deleted`, APIS.DeleteGroups, 2, { groupsNames: [groupId] })
  return expecting(step, { results: [{ errorCode: 'NONE' }] })
}
