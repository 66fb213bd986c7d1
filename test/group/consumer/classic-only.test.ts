// A consumer group whose members all speak the classic protocol, and that may not become a classic group.
import { beforeEach, describe, expect, it } from 'vitest'
import { GroupCoordinatorDriver } from '../group-coordinator-driver.ts'

let driver: GroupCoordinatorDriver
let ids: string[]

/** Each member reacts to its heartbeats, until all heartbeats return NONE. */
async function goOn(...members: string[]): Promise<void> {
  for (let round = 0; round < 4; round++) {
    for (const memberId of members) {
      let generationId = driver.consumerGroup.members.get(memberId)?.memberEpoch ?? -1
      if ((await driver.beat(memberId, generationId)) === 'NONE') continue
      generationId = (await driver.join({ memberId })).generationId
      await driver.sync(memberId, generationId)
    }
  }
}

const owned = (...members: string[]) =>
  members
    .flatMap(memberId => [...(driver.consumerGroup.members.get(memberId)?.assigned.get(driver.foo)?.keys() ?? [])])
    .sort()

/** Two classic members have all partitions of foo; a member of the consumer protocol has joined and left. */
beforeEach(async () => {
  driver = new GroupCoordinatorDriver({ settings: { 'group.consumer.migration.policy': 'upgrade' } })
  ids = (await driver.classicGroup([{ foo: [0, 1] }, { foo: [2, 3] }])).ids
  await driver.heartbeat('new', 0)
  await goOn(...ids)
  await driver.heartbeat('new', -1)
})

describe('a consumer group with classic members only', () => {
  it('the remaining member gets the partitions of a member that leaves', async () => {
    const [stays = '', goes = ''] = ids
    await goOn(stays, goes)
    expect(owned(stays, goes)).toEqual([0, 1, 2, 3])
    expect(await driver.leave(goes)).toBe('NONE')
    await goOn(stays)
    expect(owned(stays)).toEqual([0, 1, 2, 3])
    expect(driver.consumerGroup.state).toBe('Stable')
  })

  it('the members get the partitions of a topic that grows', async () => {
    driver.topics.grow('foo', 6)
    await goOn(...ids)
    expect(owned(...ids)).toEqual([0, 1, 2, 3, 4, 5])
  })

  it('heartbeats write no records while nothing changes', async () => {
    await goOn(...ids)
    const before = driver.journal.batches.length
    await goOn(...ids)
    expect(driver.journal.batches.length).toBe(before)
  })
})
