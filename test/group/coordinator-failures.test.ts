// A coordinator whose journal cannot be written.
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { KafkaError } from '../../src/protocol/errors.ts'
import { nextTurn } from '../../src/runtime/pace.ts'
import { SESSION_MS } from './classic/stage.ts'
import {
  CoordinatorStage,
  claim,
  commitRequest,
  FOO,
  joinRequest,
  resultOf,
  syncRequest
} from './coordinator-fixture.ts'

let stage: CoordinatorStage

beforeEach(() => {
  stage = new CoordinatorStage()
})

afterEach(() => expect(stage.failures).toEqual([]))

describe('a journal that cannot be written', () => {
  const full = new KafkaError('KAFKA_STORAGE_ERROR', 'no space left')

  it('fails an assignment for all who wait for it, and they join again', async () => {
    const old = { apiVersion: 3 }
    const { memberId: leader } = await stage.groups.classic.joinGroup(joinRequest(old))
    const second = stage.groups.classic.joinGroup(joinRequest(old))
    const again = await stage.groups.classic.joinGroup(joinRequest({ ...old, memberId: leader }))
    const { memberId: follower } = await second
    const waiting = stage.groups.classic.syncGroup(syncRequest(follower, 2))
    stage.journal.failure = full
    expect(await stage.groups.classic.syncGroup(syncRequest(leader, 2, leader, follower))).toMatchObject({
      errorCode: 'NOT_COORDINATOR'
    })
    stage.journal.failure = undefined
    expect(await waiting).toMatchObject({ errorCode: 'NOT_COORDINATOR' })
    expect(await stage.groups.classic.heartbeat(claim(follower, again.generationId))).toBe('REBALANCE_IN_PROGRESS')
    expect([...stage.groups.groups()]).toMatchObject([{ state: 'PreparingRebalance', generationId: 2 }])
  })

  it.each([
    ['KAFKA_STORAGE_ERROR', 'NOT_COORDINATOR'],
    ['UNKNOWN_TOPIC_OR_PARTITION', 'COORDINATOR_NOT_AVAILABLE'],
    ['MESSAGE_TOO_LARGE', 'UNKNOWN_SERVER_ERROR']
  ] as const)('%s is told as %s', async (thrown, told) => {
    stage.journal.failure = new KafkaError(thrown, 'why')
    expect(await stage.groups.classic.joinGroup(joinRequest())).toMatchObject({ errorCode: told })
    expect(await resultOf(stage.groups.offsets.commit(commitRequest('', -1, 5n)))).toBe(told)
    expect([...stage.groups.groups()]).toEqual([])
    expect(await stage.committedOffset()).toBe(-1n)
  })

  it('a session that ends meanwhile ends a little later', async () => {
    await stage.stableMember()
    stage.journal.failure = full
    stage.clock.advance(SESSION_MS)
    expect([...stage.groups.groups()]).toMatchObject([{ state: 'Stable' }])
    stage.journal.failure = undefined
    stage.clock.advance(1_000)
    expect([...stage.groups.groups()]).toMatchObject([{ state: 'Empty' }])
  })

  it('keeps one group from losing offsets that are due, not the others', async () => {
    await stage.groups.offsets.commit(commitRequest('', -1, 5n))
    await stage.groups.offsets.commit({ ...commitRequest('', -1, 6n), groupId: 'other' })
    stage.journal.failure = full
    stage.journal.attempted = () => {
      stage.journal.failure = undefined
    }
    stage.groups.topicDeleted(FOO)
    expect([await stage.committedOffset('g'), await stage.committedOffset('other')]).toEqual([5n, -1n])
  })

  it('bugs of ours are not taken for errors of the disk', async () => {
    const memberId = await stage.stableMember()
    await stage.groups.offsets.commit(commitRequest(memberId, 1, 5n))
    stage.journal.failure = new Error('a bug')
    await expect(stage.groups.classic.joinGroup(joinRequest({ groupId: 'new' }))).rejects.toThrow('a bug')
    stage.clock.advance(SESSION_MS)
    await nextTurn()
    expect(stage.failures.splice(0)).toEqual([stage.journal.failure])
    stage.groups.topicDeleted(FOO)
    await nextTurn()
    expect(stage.failures.splice(0)).toEqual([stage.journal.failure])
  })
})
