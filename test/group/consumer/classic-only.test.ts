// A consumer group whose members all speak the classic protocol, and that may not become a classic group.
import { beforeEach, describe, expect, it } from 'vitest'
import { MigrationStage } from './migration-stage.ts'

let stage: MigrationStage
let ids: string[]

/** Each member does what its heartbeats tell it to, until they tell it nothing any more. */
async function goOn(...members: string[]): Promise<void> {
  for (let round = 0; round < 4; round++) {
    for (const memberId of members) {
      let generationId = stage.consumerGroup.members.get(memberId)?.memberEpoch ?? -1
      if ((await stage.beat(memberId, generationId)) === 'NONE') continue
      generationId = (await stage.join({ memberId })).generationId
      await stage.sync(memberId, generationId)
    }
  }
}

const owned = (...members: string[]) =>
  members
    .flatMap(memberId => [...(stage.consumerGroup.members.get(memberId)?.assigned.get(stage.foo)?.keys() ?? [])])
    .sort()

/** Two members of the classic protocol have all of foo; one of the consumer protocol has come and gone. */
beforeEach(async () => {
  stage = new MigrationStage({ migrationPolicy: 'upgrade' })
  ids = (await stage.classicGroup([{ foo: [0, 1] }, { foo: [2, 3] }])).ids
  await stage.heartbeat('new', 0)
  await goOn(...ids)
  await stage.heartbeat('new', -1)
})

describe('a consumer group without members of the consumer protocol', () => {
  it('shares what a member leaves among those who are left', async () => {
    const [stays = '', goes = ''] = ids
    await goOn(stays, goes)
    expect(owned(stays, goes)).toEqual([0, 1, 2, 3])
    expect(await stage.leave(goes)).toBe('NONE')
    await goOn(stays)
    expect(owned(stays)).toEqual([0, 1, 2, 3])
    expect(stage.consumerGroup.state).toBe('Stable')
  })

  it('sees its topics grow', async () => {
    stage.topics.grow('foo', 6)
    await goOn(...ids)
    expect(owned(...ids)).toEqual([0, 1, 2, 3, 4, 5])
  })

  it('writes nothing while nothing changes', async () => {
    await goOn(...ids)
    const before = stage.journal.batches.length
    await goOn(...ids)
    expect(stage.journal.batches.length).toBe(before)
  })
})
