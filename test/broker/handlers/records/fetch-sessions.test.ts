import { describe, expect, it } from 'vitest'
import type { FetchResult, RequestedPartition } from '../../../../src/replica/fetch-session.ts'
import { FetchSessions } from '../../../../src/replica/fetch-sessions.ts'
import { seededRandom } from '../../../../src/runtime/random.ts'
import { settingsWith } from '../../../config/settings-with.ts'

const want = (partition: number, fetchOffset = 0n): RequestedPartition => ({
  topic: 't',
  topicId: 'AAAAAAAAAAAAAAAAAAAAAA',
  partition,
  currentLeaderEpoch: -1,
  fetchOffset,
  lastFetchedEpoch: -1,
  partitionMaxBytes: 1000
})
const found = (requested: RequestedPartition, changes: Partial<FetchResult> = {}): FetchResult => ({
  requested,
  errorCode: 'NONE',
  highWatermark: 5n,
  logStartOffset: 0n,
  recordBytes: 0,
  diverges: false,
  ...changes
})
const request = (
  sessionId: number,
  sessionEpoch: number,
  partitions: RequestedPartition[] = [],
  forgotten = [] as RequestedPartition[]
) => ({
  sessionId,
  sessionEpoch,
  usesTopicIds: false,
  nameOf: () => '',
  partitions,
  forgotten
})
const sessionsOf = (slots: number, partitions = 100) =>
  new FetchSessions(
    settingsWith({
      'max.incremental.fetch.session.cache.slots': slots,
      'minikafka.max.fetch.session.partitions': partitions
    }),
    seededRandom(1)
  )

/** Opens a session with the partitions, as a first full Fetch does. */
function opened(sessions: FetchSessions, partitions: number[], now = 0): number {
  const round = sessions.open(
    request(
      0,
      0,
      partitions.map(partition => want(partition))
    ),
    now
  )
  return round.respond(
    round.partitions.map(requested => found(requested)),
    now
  ).sessionId
}
const partitionsOf = (results: readonly FetchResult[]) => results.map(({ requested }) => requested.partition)

describe('fetch sessions', () => {
  it('read all partitions of the session for an empty request and return changed partitions only', () => {
    const sessions = sessionsOf(10)
    const id = opened(sessions, [0, 1, 2])
    const round = sessions.open(request(id, 1), 0)
    expect(round.partitions.map(({ partition }) => partition)).toEqual([0, 1, 2])
    const { sessionId, results } = round.respond(
      [found(want(0)), found(want(1), { recordBytes: 9 }), found(want(2), { highWatermark: 6n })],
      0
    )
    expect(sessionId).toBe(id)
    expect(partitionsOf(results)).toEqual([1, 2])
  })

  it('read a partition that returned records last in the next round', () => {
    const sessions = sessionsOf(10)
    const id = opened(sessions, [0, 1])
    sessions.open(request(id, 1), 0).respond([found(want(0), { recordBytes: 1 }), found(want(1))], 0)
    expect(sessions.open(request(id, 2), 0).partitions.map(({ partition }) => partition)).toEqual([1, 0])
  })

  it('add, change and forget partitions', () => {
    const sessions = sessionsOf(10)
    const id = opened(sessions, [0, 1])
    const round = sessions.open(request(id, 1, [want(1, 7n), want(2)], [want(0)]), 0)
    expect(round.partitions).toEqual([want(1, 7n), want(2)])
  })

  it('return an error in every response, and the recovery once', () => {
    const sessions = sessionsOf(10)
    const id = opened(sessions, [0])
    const answers = [found(want(0), { errorCode: 'NOT_LEADER_OR_FOLLOWER' }), found(want(0)), found(want(0))].map(
      (result, index) => sessions.open(request(id, 1 + index), 0).respond([result], 0).results.length
    )
    expect(answers).toEqual([1, 1, 0])
  })

  it('refuse an unknown session id, a wrong epoch, and a change between names and ids', () => {
    const sessions = sessionsOf(10)
    const id = opened(sessions, [0])
    expect(() => sessions.open(request(id + 1, 1), 0)).toThrow(
      expect.objectContaining({ code: 'FETCH_SESSION_ID_NOT_FOUND' })
    )
    expect(() => sessions.open(request(id, 2), 0)).toThrow(
      expect.objectContaining({ code: 'INVALID_FETCH_SESSION_EPOCH' })
    )
    expect(() => sessions.open({ ...request(id, 1), usesTopicIds: true }, 0)).toThrow(
      expect.objectContaining({ code: 'FETCH_SESSION_TOPIC_ID_ERROR' })
    )
  })

  it('end with the final epoch and with the removal of the last partition', () => {
    const sessions = sessionsOf(10)
    const first = opened(sessions, [0])
    sessions.open(request(first, -1), 0)
    const second = opened(sessions, [0])
    const round = sessions.open(request(second, 1, [], [want(0)]), 0)
    expect(round.respond([], 0).sessionId).toBe(0)
    expect(sessions.size).toBe(0)
  })

  it('refuse the response of a round that a later one has overtaken', () => {
    const sessions = sessionsOf(10)
    const id = opened(sessions, [0])
    const slow = sessions.open(request(id, 1), 0)
    sessions.open(request(id, 2), 0)
    expect(() => slow.respond([], 0)).toThrow(expect.objectContaining({ code: 'INVALID_FETCH_SESSION_EPOCH' }))
  })

  it('are not created when the cache is full of young ones, and replace stale ones', () => {
    const sessions = sessionsOf(1)
    const first = opened(sessions, [0], 0)
    expect(opened(sessions, [0], 60_000)).toBe(0)
    const second = opened(sessions, [0], 120_001)
    expect(second).not.toBe(0)
    expect(() => sessions.open(request(first, 1), 120_001)).toThrow()
  })

  it('with more partitions replace smaller ones that are no longer new', () => {
    const sessions = sessionsOf(1)
    const id = opened(sessions, [0, 1], 0)
    sessions.open(request(id, 1), 110_000)
    expect(opened(sessions, [0], 180_000)).toBe(0)
    expect(opened(sessions, [0, 1, 2], 180_000)).not.toBe(0)
  })

  it('cache no more partitions than the limit, when they are created and when they grow', () => {
    const sessions = sessionsOf(10, 3)
    const id = opened(sessions, [0, 1])
    expect(opened(sessions, [0, 1])).toBe(0)
    const grown = request(id, 1, [want(2), want(3)])
    expect(() => sessions.open(grown, 0)).toThrow(expect.objectContaining({ code: 'FETCH_SESSION_ID_NOT_FOUND' }))
    expect(opened(sessions, [0, 1, 2])).not.toBe(0)
  })
})
