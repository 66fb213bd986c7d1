// Changes that raise the group epoch: subscriptions by names and by regular expressions, and their topics.
import { beforeEach, describe, expect, it } from 'vitest'
import { yieldToEventLoop } from '../../../src/runtime/pace.ts'
import { GroupCoordinatorDriver } from '../group-coordinator-driver.ts'

let driver: GroupCoordinatorDriver

beforeEach(() => {
  driver = new GroupCoordinatorDriver()
})

const epochOf = (memberId: string) => driver.consumerGroup.members.get(memberId)?.memberEpoch ?? -1

const byRegex = (regex: string) => ({ subscribedTopicNames: [], subscribedTopicRegex: regex })

/** Joins and waits until the regular expression is resolved. */
async function joinBy(memberId: string, regex: string): Promise<void> {
  expect(await driver.heartbeat(memberId, 0, byRegex(regex))).toMatchObject({ errorCode: 'NONE' })
  await yieldToEventLoop()
}

async function beat(memberId: string, changes: Parameters<GroupCoordinatorDriver['heartbeat']>[2] = {}) {
  const answer = await driver.heartbeat(memberId, epochOf(memberId), changes)
  await yieldToEventLoop()
  return answer
}

/** Lets all members revoke partitions and reach the newest epoch. */
async function settle(...memberIds: string[]): Promise<void> {
  for (let round = 0; round < 4; round++) {
    for (const memberId of memberIds) {
      const assigned =
        driver.consumerGroup.members.get(memberId)?.assigned ?? new Map<string, ReadonlyMap<number, number>>()
      const owned = [...assigned].map(([topicId, partitions]) => ({ topicId, partitions: [...partitions.keys()] }))
      await beat(memberId, { topicPartitions: owned })
    }
  }
}

const has = (memberId: string, topicId: string) => [
  ...(driver.consumerGroup.members.get(memberId)?.assigned.get(topicId)?.keys() ?? [])
]

describe('subscription by topic names', () => {
  it('a changed subscription raises the group epoch, an equal subscription does not', async () => {
    await driver.heartbeat('a', 0, { subscribedTopicNames: ['foo', 'bar'] })
    expect(driver.consumerGroup.groupEpoch).toBe(2)
    await beat('a', { subscribedTopicNames: ['bar', 'foo', 'foo'] })
    expect(driver.consumerGroup.groupEpoch).toBe(2)
    await beat('a', { subscribedTopicNames: ['bar'] })
    expect(driver.consumerGroup.groupEpoch).toBe(3)
  })

  it('a subscribed topic that is created later raises the group epoch', async () => {
    await driver.heartbeat('a', 0, { subscribedTopicNames: ['later'] })
    expect(driver.consumerGroup.groupEpoch).toBe(2)
    const later = driver.topics.create('later', 2)
    await beat('a')
    expect(driver.consumerGroup.groupEpoch).toBe(3)
    expect(has('a', later)).toEqual([0, 1])
  })

  it('topics without subscription do not raise the group epoch', async () => {
    await driver.heartbeat('a', 0)
    driver.topics.create('other', 2)
    driver.topics.grow('bar', 7)
    await beat('a')
    expect(driver.consumerGroup.groupEpoch).toBe(2)
  })

  it.each([
    ['grows', () => driver.topics.grow('foo', 6), [0, 1, 2, 3, 4, 5]],
    ['is deleted', () => driver.topics.delete('foo'), []]
  ])('a member gets another assignment when its topic %s', async (_what, change, partitions) => {
    await driver.heartbeat('a', 0)
    change()
    await settle('a')
    expect(driver.consumerGroup.groupEpoch).toBe(3)
    expect(has('a', driver.foo)).toEqual(partitions)
  })

  it('a topic that is created again under the same name is assigned as a new topic', async () => {
    await driver.heartbeat('a', 0)
    driver.topics.delete('foo')
    const again = driver.topics.create('foo', 1)
    await settle('a')
    expect([has('a', driver.foo), has('a', again)]).toEqual([[], [0]])
  })

  it('a member revokes unsubscribed topics before it gets other partitions', async () => {
    await driver.heartbeat('a', 0)
    const answer = await beat('a', { subscribedTopicNames: ['bar'] })
    expect(answer).toMatchObject({ assignment: new Map(), memberEpoch: 2 })
    expect(driver.consumerGroup.members.get('a')?.state).toBe('UnrevokedPartitions')
    await beat('a', { topicPartitions: [] })
    expect(has('a', driver.bar)).toEqual([0, 1])
  })
})

describe('subscription by regular expression', () => {
  it('a new expression has no topics until its resolution, which raises the group epoch', async () => {
    expect(await driver.heartbeat('a', 0, byRegex('f.*'))).toMatchObject({ memberEpoch: 1, assignment: new Map() })
    expect([driver.consumerGroup.groupEpoch, driver.consumerGroup.regexes.size]).toEqual([1, 0])
    await yieldToEventLoop()
    expect(driver.consumerGroup.groupEpoch).toBe(2)
    await beat('a')
    expect(has('a', driver.foo)).toEqual([0, 1, 2, 3])
  })

  it('a group that begins again after the deletion of __consumer_offsets resolves its expression', async () => {
    await driver.heartbeat('a', 0, byRegex('f.*'))
    driver.journal.batches.length = 0
    driver.coordinator.topicsDeleted([{ name: '__consumer_offsets', topicId: '' }])
    await joinBy('b', 'b.*')
    expect([...driver.consumerGroup.regexes.keys()]).toEqual(['b.*'])
  })

  it('an invalid expression gets INVALID_REGULAR_EXPRESSION', async () => {
    expect(await driver.heartbeat('a', 0, byRegex('('))).toMatchObject({ errorCode: 'INVALID_REGULAR_EXPRESSION' })
    expect(driver.journal.batches).toEqual([])
  })

  it('an expression and topic names add up', async () => {
    await driver.heartbeat('a', 0, { subscribedTopicNames: ['bar'], subscribedTopicRegex: 'f.*' })
    await yieldToEventLoop()
    await settle('a')
    expect([has('a', driver.foo).length, has('a', driver.bar).length]).toEqual([4, 2])
    expect([...driver.consumerGroup.subscribedTopics].sort()).toEqual(['bar', 'foo'])
  })

  it('an expression that is already resolved in the group applies at once', async () => {
    await joinBy('a', 'f.*')
    expect(await driver.heartbeat('b', 0, byRegex('f.*'))).toMatchObject({ memberEpoch: 3 })
  })

  it('an expression is removed with its last member', async () => {
    await joinBy('a', 'f.*')
    await joinBy('b', 'f.*')
    await beat('a', byRegex(''))
    expect([...driver.consumerGroup.regexes.keys()]).toEqual(['f.*'])
    await driver.heartbeat('b', -1)
    expect([...driver.consumerGroup.regexes.keys()]).toEqual([])
    driver.restart()
    expect([...driver.consumerGroup.regexes.keys()]).toEqual([])
  })

  it('an expression finds new topics at the earliest ten seconds after its last resolution', async () => {
    await joinBy('a', 'f.*')
    await settle('a')
    const far = driver.topics.create('far', 1)
    driver.clock.advance(10_000)
    await settle('a')
    expect(has('a', far)).toEqual([])
    driver.clock.advance(1)
    await settle('a')
    expect(has('a', far)).toEqual([0])
  })

  it('an expression is resolved again after the refresh interval, also without new topics', async () => {
    driver = new GroupCoordinatorDriver({
      settings: { 'group.consumer.regex.refresh.interval.ms': 30_000, 'group.consumer.session.timeout.ms': 60_000 }
    })
    await joinBy('a', 'f.*')
    const { timestamp } = driver.consumerGroup.regexes.get('f.*') ?? {}
    driver.clock.advance(30_000)
    await beat('a')
    expect(driver.consumerGroup.regexes.get('f.*')?.timestamp).toBe(timestamp)
    driver.clock.advance(1)
    await beat('a')
    expect(driver.consumerGroup.regexes.get('f.*')?.timestamp).toBe(BigInt(driver.clock.wall.now()))
    expect(driver.consumerGroup.groupEpoch).toBe(2)
  })

  it('a member whose new expression matches nothing leaves its partitions to other members', async () => {
    await joinBy('a', 'f.*')
    await driver.heartbeat('b', 0)
    await settle('a', 'b')
    expect([has('a', driver.foo).length, has('b', driver.foo).length]).toEqual([2, 2])
    driver.clock.advance(10_001)
    await beat('a', byRegex('nothing'))
    await settle('a', 'b')
    expect([has('a', driver.foo), has('b', driver.foo)]).toEqual([[], [0, 1, 2, 3]])
  })

  it('an expression and its topics are loaded after a restart', async () => {
    await joinBy('a', 'f.*')
    await settle('a')
    const before = driver.consumerGroup.regexes
    driver.restart()
    expect(driver.consumerGroup.regexes).toEqual(before)
    expect(driver.consumerGroup.members.get('a')?.subscribedTopicRegex).toBe('f.*')
    await settle('a')
    expect(driver.consumerGroup.groupEpoch).toBe(2)
  })

  it('a resolution that ends after the last subscribed member has left writes nothing', async () => {
    await driver.heartbeat('a', 0, byRegex('f.*'))
    await driver.heartbeat('a', -1)
    const before = driver.journal.batches.length
    await yieldToEventLoop()
    expect(driver.journal.batches.slice(before).flat()).toEqual([])
  })

  it('a resolution whose append fails is repeated at a later heartbeat', async () => {
    await driver.heartbeat('a', 0, byRegex('f.*'))
    driver.fail()
    await yieldToEventLoop()
    expect(driver.consumerGroup.regexes.size).toBe(0)
    driver.heal()
    await beat('a')
    await settle('a')
    expect(has('a', driver.foo)).toEqual([0, 1, 2, 3])
  })
})
