// Fetch requests for the transcripts.
import { APIS } from '../../../../src/protocol/messages/index.ts'
import type { Session } from '../session.ts'
import { type Call, call } from '../transcript.ts'
import { withBytes } from './read.ts'
import { idOf } from './topic.ts'

const { Fetch } = APIS
/** The last version with topic names. */
export const LATEST = 12
/** Respond without waiting. */
export const NOW = { maxWaitMs: 0, minBytes: 0 }

export interface Asked {
  readonly partition?: number
  readonly fetchOffset?: bigint
  readonly partitionMaxBytes?: number
  readonly currentLeaderEpoch?: number
  readonly lastFetchedEpoch?: number
  readonly logStartOffset?: bigint
}

export const asked = (more: Asked = {}) => ({ partition: 0, fetchOffset: 0n, partitionMaxBytes: 1 << 20, ...more })
export const named = (topic: string, ...partitions: Asked[]) => ({
  topic,
  partitions: (partitions.length > 0 ? partitions : [{}]).map(asked)
})
export const byId = (session: Session, topic: string, ...partitions: Asked[]) => ({
  topicId: idOf(session, topic),
  partitions: named(topic, ...partitions).partitions
})

type Topic = { topic?: string; topicId?: string; partitions: ReturnType<typeof asked>[] }

/** A fetch of these topics that does not wait; compares the bytes too. */
export function fetched(
  name: string,
  topics: Topic[] | ((session: Session) => Topic[]),
  { version = LATEST, ...rest }: { version?: number } & Record<string, unknown> = {}
): Call<typeof Fetch> {
  const request = (session: Session) => ({
    ...NOW,
    topics: typeof topics === 'function' ? topics(session) : topics,
    ...rest
  })
  return call(name, Fetch, version, request, { compare: withBytes })
}
