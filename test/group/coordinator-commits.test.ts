// Offset commits in the group coordinator: expiration, deleted topics, delayed responses.
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

describe('offset commits', () => {
  it('a commit without a member creates a simple group', async () => {
    expect(await driver.commit('', -1, 5n)).toBe('NONE')
    expect([...driver.coordinator.groups()]).toMatchObject([{ groupId: 'g', state: 'Empty', protocolType: null }])
    expect(await driver.committedOffset()).toBe(5n)
    expect(driver.written()).toEqual(['OffsetCommit'])
  })

  it('the empty group id may commit and fetch', async () => {
    expect(await driver.commit('', -1, 5n, { groupId: '' })).toBe('NONE')
    expect(await driver.committedOffset('')).toBe(5n)
  })

  it('a commit of an older generation is refused and changes nothing', async () => {
    const memberId = await driver.stableMember()
    expect(await driver.commit(memberId, 0, 5n)).toBe('ILLEGAL_GENERATION')
    expect(await driver.committedOffset()).toBe(-1n)
  })

  it('offsets expire in the retention check, and their group with them', async () => {
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

  it('offsets of a deleted topic are removed', async () => {
    await driver.commit('', -1, 5n)
    driver.coordinator.topicsDeleted([FOO])
    expect(await driver.committedOffset()).toBe(-1n)
  })

  describe('deletion of a topic with offsets of many groups', () => {
    const NEW_FOO = { ...FOO, topicId: 'BBECAwQFBgcICQoLDA0ODw' }
    const BAR = { name: 'bar', topicId: 'CCECAwQFBgcICQoLDA0ODw' }

    const commit = (groupId: string, topic = FOO) => driver.commit('', -1, 5n, { groupId, topic })
    const topicsOf = async (groupId: string) => {
      const { topics } = await driver.coordinator.offsets.fetch({ ...NO_MEMBER, groupId, topics: null })
      return topics.map(({ name }) => name)
    }

    beforeEach(async () => {
      for (const groupId of ['a', 'b', 'c']) await commit(groupId)
      // Each append takes one slice of background work.
      driver.journal.attempted = () => driver.clock.advance(10)
    })

    it('offsets of a deleted topic are removed in slices between requests', async () => {
      driver.coordinator.topicsDeleted([FOO])
      expect([await topicsOf('a'), await topicsOf('b'), await topicsOf('c')]).toEqual([[], ['foo'], ['foo']])
      await someTurns()
      expect([await topicsOf('b'), await topicsOf('c')]).toEqual([[], []])
    })

    it('offsets of a new topic with the name of a deleted topic stay', async () => {
      driver.coordinator.topicsDeleted([FOO])
      await commit('c', NEW_FOO)
      await someTurns()
      expect(await topicsOf('c')).toEqual(['foo'])
    })

    it('offsets of several deleted topics are removed one topic after the other, one append a slice', async () => {
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

    it('a coordinator that stops removes no more offsets', async () => {
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

describe('responses to commits', () => {
  it('a commit is answered after the sync of its record', async () => {
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
