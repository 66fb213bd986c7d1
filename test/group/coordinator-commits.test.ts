// What a coordinator does with commits.
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { deferred } from '../../src/runtime/deferred.ts'
import { CoordinatorStage, commitRequest, FOO, GROUP_SETTINGS, resultOf } from './coordinator-fixture.ts'

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
})

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
