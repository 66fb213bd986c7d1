// What a coordinator does with commits.
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { deferred } from '../../src/runtime/deferred.ts'
import { nextTurn } from '../../src/runtime/pace.ts'
import { CoordinatorStage, commitRequest, FOO, GROUP_SETTINGS, OF_ANYBODY, resultOf } from './coordinator-fixture.ts'

let stage: CoordinatorStage

beforeEach(() => {
  stage = new CoordinatorStage()
})

afterEach(() => expect(stage.failures).toEqual([]))

describe('commits', () => {
  it('from outside make a simple group', async () => {
    expect(await resultOf(stage.groups.offsets.commit(commitRequest('', -1, 5n)))).toBe('NONE')
    expect([...stage.groups.groups()]).toMatchObject([{ groupId: 'g', state: 'Empty', protocolType: null }])
    expect(await stage.committedOffset()).toBe(5n)
    expect(stage.recordTypes()).toEqual(['OffsetCommit'])
  })

  it('the group without a name may commit and fetch', async () => {
    expect(await resultOf(stage.groups.offsets.commit({ ...commitRequest('', -1, 5n), groupId: '' }))).toBe('NONE')
    expect(await stage.committedOffset('')).toBe(5n)
  })

  it('of an older generation are refused, and change nothing', async () => {
    const memberId = await stage.stableMember()
    expect(await resultOf(stage.groups.offsets.commit(commitRequest(memberId, 0, 5n)))).toBe('ILLEGAL_GENERATION')
    expect(await stage.committedOffset()).toBe(-1n)
  })

  it('expire at a check, and the group with them', async () => {
    await stage.groups.offsets.commit(commitRequest('', -1, 5n))
    stage.clock.advance(GROUP_SETTINGS.offsetsRetentionMs - 1)
    expect(await stage.committedOffset()).toBe(5n)
    stage.clock.advance(GROUP_SETTINGS.offsetsRetentionCheckIntervalMs)
    expect(await stage.committedOffset()).toBe(-1n)
    expect([...stage.groups.groups()]).toEqual([])
    stage.start()
    expect(await stage.committedOffset()).toBe(-1n)
    expect([...stage.groups.groups()]).toEqual([])
  })

  it('go with their topic', async () => {
    await stage.groups.offsets.commit(commitRequest('', -1, 5n))
    stage.groups.topicDeleted(FOO)
    expect(await stage.committedOffset()).toBe(-1n)
  })

  describe('of many groups', () => {
    const NEW_FOO = { ...FOO, topicId: 'BBECAwQFBgcICQoLDA0ODw' }
    const BAR = { name: 'bar', topicId: 'CCECAwQFBgcICQoLDA0ODw' }

    const commit = (groupId: string, { name, topicId } = FOO) => {
      const request = commitRequest('', -1, 5n)
      return stage.groups.offsets.commit({
        ...request,
        groupId,
        topics: request.topics.map(topic => ({ ...topic, name, topicId }))
      })
    }
    const topicsOf = async (groupId: string) => {
      const { topics } = await stage.groups.offsets.fetch({ ...OF_ANYBODY, groupId, topics: null })
      return topics.map(({ name }) => name)
    }

    beforeEach(async () => {
      for (const groupId of ['a', 'b', 'c']) await commit(groupId)
      // Each append takes as long as one thing may keep the others waiting.
      stage.journal.attempted = () => stage.clock.advance(10)
    })

    it('go between the requests', async () => {
      stage.groups.topicDeleted(FOO)
      expect([await topicsOf('a'), await topicsOf('b'), await topicsOf('c')]).toEqual([[], ['foo'], ['foo']])
      await someTurns()
      expect([await topicsOf('b'), await topicsOf('c')]).toEqual([[], []])
    })

    it('leave those of a new topic of that name alone', async () => {
      stage.groups.topicDeleted(FOO)
      await commit('c', NEW_FOO)
      await someTurns()
      expect(await topicsOf('c')).toEqual(['foo'])
    })

    it('go one topic after another, never two in the same turn of the event loop', async () => {
      await commit('c', BAR)
      const { batches } = stage.journal
      const before = batches.length
      stage.groups.topicDeleted(FOO)
      stage.groups.topicDeleted(BAR)
      for (const written of [1, 2, 3, 4]) {
        expect(batches).toHaveLength(before + written)
        await nextTurn()
      }
      expect(await topicsOf('c')).toEqual([])
    })

    it('stay as they are once the coordinator stops', async () => {
      stage.groups.topicDeleted(FOO)
      stage.groups.stop()
      const written = stage.journal.batches.length
      await someTurns()
      expect(stage.journal.batches).toHaveLength(written)
    })
  })
})

async function someTurns(): Promise<void> {
  for (let turn = 0; turn < 5; turn++) await nextTurn()
}

describe('answers', () => {
  it('wait until what they rest on is on the disk, where the journal says so', async () => {
    const sync = deferred<void>()
    stage.journal.syncing = sync.promise
    let answered = false
    const commit = stage.groups.offsets.commit(commitRequest('', -1, 5n)).then(() => {
      answered = true
    })
    for (let turn = 0; turn < 10; turn++) await Promise.resolve()
    expect(answered).toBe(false)
    sync.resolve()
    await commit
    expect(answered).toBe(true)
  })
})
