// Groups that migrate between the protocols while brokers change: with members of both, and as classic groups that were
// consumer groups before.
import { assignmentOf, type Owned, subscriptionOf } from '../../group/embedded.ts'
import type { Step } from '../oracle/transcript.ts'
import { Group } from '../oracle/transcripts/group.ts'
import { commits, PARTITIONS, type Tale, TIMEOUT_MS, TOPIC, thus, well } from './tale.ts'
import { Tribe } from './tribe.ts'

const A = { instance: 'A' }
const ALL = { [TOPIC]: [0, 1, 2, 3] }
const HALF = { [TOPIC]: [0, 1] }

/** Fields of the classic member's requests; it is static. */
const says = (owned: Owned = {}) => ({
  ...A,
  ...{ sessionTimeoutMs: TIMEOUT_MS, rebalanceTimeoutMs: TIMEOUT_MS },
  protocols: { range: subscriptionOf([TOPIC], owned) }
})

const has = (partitions: Owned) => ({ assignment: assignmentOf(partitions).toString('hex') })
const mustJoinAgain = { errorCode: 'REBALANCE_IN_PROGRESS' }

/** A group with one classic member, and sometimes a member of the consumer protocol. */
class Migrating {
  readonly #classic: Group
  readonly #tribe: Tribe

  constructor(id: string) {
    this.#classic = new Group(id)
    this.#tribe = new Tribe(id, TOPIC)
  }

  begin(): Step[] {
    return [
      well(this.#classic.join('A', 'comes', { ...says(), memberId: '' })),
      well(this.#classic.sync('A', 'assigns', { ...A, assignments: { A: assignmentOf(ALL) } }))
    ]
  }

  /** Another member joins with the consumer protocol and gets one half: the group becomes a consumer group. */
  upgrade(other: string): Step[] {
    const group = this.#classic
    return [
      ...this.#tribe.come({ [other]: {} }),
      thus(group.heartbeat('A', 'must join again', A), mustJoinAgain),
      well(group.join('A', 'still has all', says(ALL))),
      well(group.sync('A', 'keeps half', A)),
      thus(group.heartbeat('A', 'must give up the rest', A), mustJoinAgain),
      well(group.join('A', 'has given up the rest', says(HALF))),
      thus(group.sync('A', 'has half', A), has(HALF)),
      this.#tribe.settle(PARTITIONS, { [other]: {} }),
      well(group.heartbeat('A', 'is well', A)),
      this.#tribe.commit(other, 1)
    ]
  }

  /** That member leaves: the group becomes a classic group. */
  downgrade(other: string): Step[] {
    return [
      ...this.#tribe.go({ [other]: {} }),
      thus(this.#classic.heartbeat('A', 'must join again', A), mustJoinAgain),
      well(this.#classic.join('A', 'joins a classic group', says(HALF))),
      well(this.#classic.sync('A', 'assigns', { ...A, assignments: { A: assignmentOf(ALL) } }))
    ]
  }

  commit(offset: number): Step {
    return commits(this.#classic.id, offset, {
      by: session => ({
        memberId: this.#classic.memberId(session, 'A'),
        generationIdOrMemberEpoch: this.#classic.generation(session, 'A')
      })
    })
  }

  goOn(partitions: Owned, ...others: string[]): Step[] {
    return [
      well(this.#classic.heartbeat('A', 'goes on', A)),
      thus(this.#classic.sync('A', 'has what it had', A), has(partitions)),
      ...this.#tribe.remain(Object.fromEntries(others.map(member => [member, {}])))
    ]
  }
}

/** At each change of brokers the group has members of both protocols. */
function mixed(): Tale {
  const id = 'mixed'
  const group = new Migrating(id)
  return {
    id,
    begin: () => [...group.begin(), ...group.upgrade('m0'), group.commit(1)],
    goOn: life => group.goOn(HALF, `m${life - 1}`),
    change: life => [...group.downgrade(`m${life - 1}`), ...group.upgrade(`m${life}`), group.commit(life * 10)]
  }
}

/** At each change of brokers the group is a classic group that was a consumer group before. */
function downgraded(): Tale {
  const id = 'downgraded'
  const group = new Migrating(id)
  const visit = (life: number): Step[] => [...group.upgrade(`m${life}`), ...group.downgrade(`m${life}`)]
  return {
    id,
    begin: () => [...group.begin(), ...visit(0), group.commit(1)],
    goOn: () => group.goOn(ALL),
    change: life => [...visit(life), group.commit(life * 10)]
  }
}

/** A group without members that changes between both kinds. */
function turned(): Tale {
  const id = 'turned'
  const classic = new Group(id)
  const tribe = new Tribe(id, TOPIC)
  const members = { m: {} }
  const visits = [
    [
      well(classic.join('A', 'comes', { ...says(), memberId: '' })),
      well(classic.sync('A', 'assigns', { ...A, assignments: { A: assignmentOf(ALL) } })),
      well(classic.leave('A leaves', A))
    ],
    [...tribe.come(members), tribe.settle(PARTITIONS, members), ...tribe.go(members)]
  ]
  const visit = (life: number): Step[] => [commits(id, life), ...(visits[life % 2] ?? [])]
  return { id, begin: () => visit(0), goOn: () => [], change: visit }
}

/** All mixed groups. */
export function mixedTales(): readonly Tale[] {
  return [mixed(), downgraded(), turned()]
}
