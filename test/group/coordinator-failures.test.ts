// A coordinator whose journal cannot be written.
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { KafkaError } from '../../src/protocol/errors.ts'
import { nextTurn } from '../../src/runtime/pace.ts'
import { SESSION_MS } from './classic/classic-group-driver.ts'
import {
  CoordinatorStage,
  claim,
  commitRequest,
  FOO,
  joinRequest,
  resultOf,
  syncRequest
} from './coordinator-fixture.ts'

let driver: CoordinatorStage

beforeEach(() => {
  driver = new CoordinatorStage()
})

afterEach(() => expect(driver.failures).toEqual([]))

describe('a journal that cannot be written', () => {
  const full = new KafkaError('KAFKA_STORAGE_ERROR', 'no space left')

  it('fails an assignment for all who wait for it, and they join again', async () => {
    const old = { apiVersion: 3 }
    const { memberId: leader } = await driver.groups.classic.joinGroup(joinRequest(old))
    const second = driver.groups.classic.joinGroup(joinRequest(old))
    const again = await driver.groups.classic.joinGroup(joinRequest({ ...old, memberId: leader }))
    const { memberId: follower } = await second
    const waiting = driver.groups.classic.syncGroup(syncRequest(follower, 2))
    driver.journal.failure = full
    expect(await driver.groups.classic.syncGroup(syncRequest(leader, 2, leader, follower))).toMatchObject({
      errorCode: 'NOT_COORDINATOR'
    })
    driver.journal.failure = undefined
    expect(await waiting).toMatchObject({ errorCode: 'NOT_COORDINATOR' })
    expect(await driver.groups.classic.heartbeat(claim(follower, again.generationId))).toBe('REBALANCE_IN_PROGRESS')
    expect([...driver.groups.groups()]).toMatchObject([{ state: 'PreparingRebalance', generationId: 2 }])
  })

  it.each([
    ['KAFKA_STORAGE_ERROR', 'NOT_COORDINATOR'],
    ['UNKNOWN_TOPIC_OR_PARTITION', 'COORDINATOR_NOT_AVAILABLE'],
    ['MESSAGE_TOO_LARGE', 'UNKNOWN_SERVER_ERROR']
  ] as const)('%s is told as %s', async (thrown, errorCode) => {
    driver.journal.failure = new KafkaError(thrown, 'why')
    expect(await driver.groups.classic.joinGroup(joinRequest())).toMatchObject({ errorCode })
    expect(await resultOf(driver.groups.offsets.commit(commitRequest('', -1, 5n)))).toBe(errorCode)
    expect([...driver.groups.groups()]).toEqual([])
    expect(await driver.committedOffset()).toBe(-1n)
  })

  it('a session that ends meanwhile ends a little later', async () => {
    await driver.stableMember()
    driver.journal.failure = full
    driver.clock.advance(SESSION_MS)
    expect([...driver.groups.groups()]).toMatchObject([{ state: 'Stable' }])
    driver.journal.failure = undefined
    driver.clock.advance(1_000)
    expect([...driver.groups.groups()]).toMatchObject([{ state: 'Empty' }])
  })

  it('keeps one group from losing offsets that are due, not the others', async () => {
    await driver.groups.offsets.commit(commitRequest('', -1, 5n))
    await driver.groups.offsets.commit({ ...commitRequest('', -1, 6n), groupId: 'other' })
    driver.journal.failure = full
    driver.journal.attempted = () => {
      driver.journal.failure = undefined
    }
    driver.groups.topicDeleted(FOO)
    expect([await driver.committedOffset('g'), await driver.committedOffset('other')]).toEqual([5n, -1n])
  })

  it('bugs of ours are not taken for errors of the disk', async () => {
    const memberId = await driver.stableMember()
    await driver.groups.offsets.commit(commitRequest(memberId, 1, 5n))
    driver.journal.failure = new Error('a bug')
    await expect(driver.groups.classic.joinGroup(joinRequest({ groupId: 'new' }))).rejects.toThrow('a bug')
    driver.clock.advance(SESSION_MS)
    await nextTurn()
    expect(driver.failures.splice(0)).toEqual([driver.journal.failure])
    driver.groups.topicDeleted(FOO)
    await nextTurn()
    expect(driver.failures.splice(0)).toEqual([driver.journal.failure])
  })
})
