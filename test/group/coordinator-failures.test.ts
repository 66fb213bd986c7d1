// A group coordinator whose journal refuses appends.
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { KafkaError } from '../../src/protocol/errors.ts'
import { yieldToEventLoop } from '../../src/runtime/pace.ts'
import { ClusterTopics } from './consumer/cluster-topics.ts'
import { assigning, GroupCoordinatorDriver } from './group-coordinator-driver.ts'
import { SESSION_MS } from './group-settings.ts'

const FOO = { name: 'foo', topicId: 'AAECAwQFBgcICQoLDA0ODw' }
const failures: unknown[] = []
let driver: GroupCoordinatorDriver

beforeEach(() => {
  driver = new GroupCoordinatorDriver({ topics: new ClusterTopics(FOO), failed: error => failures.push(error) })
})

afterEach(() => expect(failures).toEqual([]))

describe('failed appends', () => {
  const full = new KafkaError('KAFKA_STORAGE_ERROR', 'no space left')

  it('a failed append of an assignment fails all delayed SyncGroups, and the members rejoin', async () => {
    const old = { apiVersion: 3 }
    const { memberId: leader } = await driver.join(old)
    const second = driver.join(old)
    const again = await driver.join({ ...old, memberId: leader })
    const { memberId: follower } = await second
    const waiting = driver.sync(follower, 2)
    driver.journal.failure = full
    expect(await driver.sync(leader, 2, assigning(leader, follower))).toMatchObject({
      errorCode: 'NOT_COORDINATOR'
    })
    driver.journal.failure = undefined
    expect(await waiting).toMatchObject({ errorCode: 'NOT_COORDINATOR' })
    expect(await driver.beat(follower, again.generationId)).toBe('REBALANCE_IN_PROGRESS')
    expect([...driver.coordinator.groups()]).toMatchObject([{ state: 'PreparingRebalance', generationId: 2 }])
  })

  it.each([
    ['KAFKA_STORAGE_ERROR', 'NOT_COORDINATOR'],
    ['UNKNOWN_TOPIC_OR_PARTITION', 'COORDINATOR_NOT_AVAILABLE'],
    ['MESSAGE_TOO_LARGE', 'UNKNOWN_SERVER_ERROR']
  ] as const)('the append error %s becomes the error code %s', async (thrown, errorCode) => {
    driver.journal.failure = new KafkaError(thrown, 'why')
    expect(await driver.join()).toMatchObject({ errorCode })
    expect(await driver.commit('', -1, 5n)).toBe(errorCode)
    expect([...driver.coordinator.groups()]).toEqual([])
    expect(await driver.committedOffset()).toBe(-1n)
  })

  it('a session whose end cannot be appended ends later', async () => {
    await driver.stableMember()
    driver.journal.failure = full
    driver.clock.advance(SESSION_MS)
    expect([...driver.coordinator.groups()]).toMatchObject([{ state: 'Stable' }])
    driver.journal.failure = undefined
    driver.clock.advance(1_000)
    expect([...driver.coordinator.groups()]).toMatchObject([{ state: 'Empty' }])
  })

  it('a failed append keeps the offsets of its own group only', async () => {
    await driver.commit('', -1, 5n)
    await driver.commit('', -1, 6n, { groupId: 'other' })
    driver.journal.failure = full
    driver.journal.attempted = () => {
      driver.journal.failure = undefined
    }
    driver.coordinator.topicsDeleted([FOO])
    expect([await driver.committedOffset('g'), await driver.committedOffset('other')]).toEqual([5n, -1n])
  })

  it('a programming error in an append is not returned as an error code', async () => {
    const memberId = await driver.stableMember()
    await driver.commit(memberId, 1, 5n)
    driver.journal.failure = new Error('a bug')
    await expect(driver.join({ groupId: 'new' })).rejects.toThrow('a bug')
    driver.clock.advance(SESSION_MS)
    await yieldToEventLoop()
    expect(failures.splice(0)).toEqual([expect.objectContaining({ cause: driver.journal.failure })])
    driver.coordinator.topicsDeleted([FOO])
    await yieldToEventLoop()
    expect(failures.splice(0)).toEqual([expect.objectContaining({ cause: driver.journal.failure })])
  })
})
