// Compares our server-side assignors with Kafka's in random groups: the same partitions for the same members, in the
// same order, so that the records are the same too.
import { isDeepStrictEqual } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Assignment, Assignor } from '../../src/group/modern/assignors/assignor.ts'
import { rangeAssignor } from '../../src/group/modern/assignors/range.ts'
import { uniformAssignor } from '../../src/group/modern/assignors/uniform.ts'
import { randomUuid, seededRandom } from '../../src/runtime/random.ts'
import { BOUNDS, RandomGroup } from '../group/modern/assignors/random-group.ts'
import {
  type KafkaAssignors,
  type Listed,
  type ListedAssignment,
  listAssignment,
  startKafkaAssignors
} from './java/assignors.ts'

const GROUPS = 40
const CHANGES = 15
const ASSIGNORS = [uniformAssignor, rangeAssignor]

let kafka: KafkaAssignors
beforeAll(async () => {
  kafka = await startKafkaAssignors()
})
afterAll(() => kafka?.stop())

describe.each(['same', 'different'])('members with %s subscriptions', subscriptions => {
  const isHomogeneous = subscriptions === 'same'

  test.each(BOUNDS)(
    "groups of up to $members members, with $topics topics of $partitions partitions, get Kafka's assignments",
    async bounds => {
      for (let seed = 0; seed < GROUPS; seed++) {
        const random = seededRandom(seed)
        // Some groups keep one assignor, others change between both.
        const choices = seed % 3 === 2 ? ASSIGNORS : ASSIGNORS.slice(seed % 3, (seed % 3) + 1)
        const group = new RandomGroup(random, isHomogeneous, bounds)
        for (let change = 0; change < CHANGES; change++) {
          const assignor = choices[random.below(choices.length)] ?? uniformAssignor
          const assigned = assignor.assign(group, group)
          const theirs = recordsOf(await kafkaAssigns(assignor, group), group)
          expect(recordsOf(list(assigned), group), `seed ${seed}, change ${change}`).toEqual(theirs)
          group.adopt(assigned)
          group.change()
        }
      }
    }
  )

  test.each(ASSIGNORS)(
    "the $name assignor refuses a topic that does not exist with Kafka's message",
    async assignor => {
      const group = new RandomGroup(seededRandom(1), isHomogeneous, { members: 3, topics: 1, partitions: 3 })
      group.subscribeAll(randomUuid(seededRandom(2)))
      const message = errorOf(() => assignor.assign(group, group))
      const theirs = await kafka.assign(assignor.name, group, group.topics)
      expect(theirs).toEqual({ error: 'PartitionAssignorException', message })
    }
  )
})

async function kafkaAssigns(assignor: Assignor, group: RandomGroup): Promise<Listed> {
  const answer = await kafka.assign(assignor.name, group, group.topics)
  if ('error' in answer) throw new Error(`${answer.error}: ${answer.message}`)
  return answer.members
}

function list(assigned: ReadonlyMap<string, Assignment>): Listed {
  return Array.from(assigned, ([memberId, topics]) => [memberId, listAssignment(topics)])
}

/** The assignments that are written as records: those of members whose partitions have changed, in any order. */
function recordsOf(listed: Listed, { members }: RandomGroup): Listed {
  return listed.filter(([memberId, topics]) => {
    const had = listAssignment(members.get(memberId)?.assigned ?? new Map())
    return !isDeepStrictEqual(sorted(topics), sorted(had))
  })
}

function sorted(topics: ListedAssignment): ListedAssignment {
  const inOrder = topics.map(([topicId, partitions]) => [topicId, [...partitions].sort((a, b) => a - b)] as const)
  return inOrder.sort(([a], [b]) => (a < b ? -1 : 1))
}

function errorOf(action: () => unknown): string | undefined {
  try {
    action()
  } catch (error) {
    return error instanceof Error ? error.message : undefined
  }
  return undefined
}
