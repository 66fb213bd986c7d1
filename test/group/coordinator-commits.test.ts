// What a coordinator does with commits.
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { deferred } from '../../src/runtime/deferred.ts'
import { yieldToEventLoop } from '../../src/runtime/pace.ts'
import { ClusterTopics } from './consumer/cluster-topics.ts'
import { GroupCoordinatorDriver, NO_MEMBER } from './group-coordinator-driver.ts'

const FOO = { name: 'foo', topicId: 'AAECAwQFBgcICQoLDA0ODw' }
const RETENTION_MS = 7 * 86_400_000
const RETENTION_CHECK_MS = 600_000
const failures: unknown[] = []
let driver: GroupCoordinatorDriver

beforeEach(() => {
  driver = new GroupCoordinatorDriver({ topics: new ClusterTopics(FOO), failed: error => failures.push(error) })
})

afterEach(() => expect(failures).toEqual([]))

describe('commits', () => {
  it('from outside make a simple group', async () => {
    expect(await driver.commit('', -1, 5n)).toBe('NONE')
    expect([...driver.coordinator.groups()]).toMatchObject([{ groupId: 'g', state: 'Empty', protocolType: null }])
    expect(await driver.committedOffset()).toBe(5n)
    expect(driver.written()).toEqual(['OffsetCommit'])
  })

  it('the group without a name may commit and fetch', async () => {
    expect(await driver.commit('', -1, 5n, { groupId: '' })).toBe('NONE')
    expect(await driver.committedOffset('')).toBe(5n)
  })

  it('of an older generation are refused, and change nothing', async () => {
    const memberId = await driver.stableMember()
    expect(await driver.commit(memberId, 0, 5n)).toBe('ILLEGAL_GENERATION')
    expect(await driver.committedOffset()).toBe(-1n)
  })

  it('expire at a check, and the group with them', async () => {
    await driver.commit('', -1, 5n)
    driver.clock.advance(RETENTION_MS - 1)
    expect(await driver.committedOffset()).toBe(5n)
    driver.clock.advance(RETENTION_CHECK_MS)
    expect(await driver.committedOffset()).toBe(-1n)
    expect([...driver.coordinator.groups()]).toEqual([])
    driver.restart()
    expect(await driver.committedOffset()).toBe(-1n)
    expect([...driver.coordinator.groups()]).toEqual([])
  })

  it('go with their topic', async () => {
    await driver.commit('', -1, 5n)
    driver.coordinator.topicsDeleted([FOO])
    expect(await driver.committedOffset()).toBe(-1n)
  })

  describe('of many groups', () => {
    const NEW_FOO = { ...FOO, topicId: 'BBECAwQFBgcICQoLDA0ODw' }
    const BAR = { name: 'bar', topicId: 'CCECAwQFBgcICQoLDA0ODw' }

    const commit = (groupId: string, topic = FOO) => driver.commit('', -1, 5n, { groupId, topic })
    const topicsOf = async (groupId: string) => {
      const { topics } = await driver.coordinator.offsets.fetch({ ...NO_MEMBER, groupId, topics: null })
      return topics.map(({ name }) => name)
    }

    beforeEach(async () => {
      for (const groupId of ['a', 'b', 'c']) await commit(groupId)
      // Each append takes as long as one thing may keep the others waiting.
      driver.journal.attempted = () => driver.clock.advance(10)
    })

    it('go between the requests', async () => {
      driver.coordinator.topicsDeleted([FOO])
      expect([await topicsOf('a'), await topicsOf('b'), await topicsOf('c')]).toEqual([[], ['foo'], ['foo']])
      await someTurns()
      expect([await topicsOf('b'), await topicsOf('c')]).toEqual([[], []])
    })

    it('leave those of a new topic of that name alone', async () => {
      driver.coordinator.topicsDeleted([FOO])
      await commit('c', NEW_FOO)
      await someTurns()
      expect(await topicsOf('c')).toEqual(['foo'])
    })

    it('go one topic after another, never two in the same turn of the event loop', async () => {
      await commit('c', BAR)
      const { batches } = driver.journal
      const before = batches.length
      driver.coordinator.topicsDeleted([FOO])
      driver.coordinator.topicsDeleted([BAR])
      for (const written of [1, 2, 3, 4]) {
        expect(batches).toHaveLength(before + written)
        await yieldToEventLoop()
      }
      expect(await topicsOf('c')).toEqual([])
    })

    it('stay as they are once the coordinator stops', async () => {
      driver.coordinator.topicsDeleted([FOO])
      driver.stop()
      const written = driver.journal.batches.length
      await someTurns()
      expect(driver.journal.batches).toHaveLength(written)
    })
  })
})

async function someTurns(): Promise<void> {
  for (let turn = 0; turn < 5; turn++) await yieldToEventLoop()
}

describe('answers', () => {
  it('wait until what they rest on is on the disk, where the journal says so', async () => {
    const sync = deferred<void>()
    driver.journal.syncing = sync.promise
    let answered = false
    const commit = driver.commit('', -1, 5n).then(() => {
      answered = true
    })
    for (let turn = 0; turn < 10; turn++) await Promise.resolve()
    expect(answered).toBe(false)
    sync.resolve()
    await commit
    expect(answered).toBe(true)
  })
})
