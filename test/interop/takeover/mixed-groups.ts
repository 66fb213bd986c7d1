// Groups that migrate between the protocols while brokers change: with members of both, and as classic groups that were
// consumer groups before.
import { assignmentOf, type Owned, subscriptionOf } from '../../group/embedded.ts'
import type { Step } from '../oracle/transcript.ts'
import { Group } from '../oracle/transcripts/group.ts'
import { ConsumerMembers } from './consumer-members.ts'
import { commits, expecting, type GroupScenario, PARTITIONS, succeeding, TIMEOUT_MS, TOPIC } from './group-scenario.ts'

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
  readonly #consumers: ConsumerMembers

  constructor(id: string) {
    this.#classic = new Group(id)
    this.#consumers = new ConsumerMembers(id, TOPIC)
  }

  begin(): Step[] {
    return [
      succeeding(this.#classic.join('A', 'comes', { ...says(), memberId: '' })),
      succeeding(this.#classic.sync('A', 'assigns', { ...A, assignments: { A: assignmentOf(ALL) } }))
    ]
  }

  /** Another member joins with the consumer protocol and gets one half: the group becomes a consumer group. */
  upgrade(other: string): Step[] {
    const group = this.#classic
    return [
      ...this.#consumers.joinAll({ [other]: {} }),
      expecting(group.heartbeat('A', 'must join again', A), mustJoinAgain),
      succeeding(group.join('A', 'still has all', says(ALL))),
      succeeding(group.sync('A', 'keeps half', A)),
      expecting(group.heartbeat('A', 'must give up the rest', A), mustJoinAgain),
      succeeding(group.join('A', 'has given up the rest', says(HALF))),
      expecting(group.sync('A', 'has half', A), has(HALF)),
      this.#consumers.settle(PARTITIONS, { [other]: {} }),
      succeeding(group.heartbeat('A', 'is well', A)),
      this.#consumers.commit(other, 1)
    ]
  }

  /** That member leaves: the group becomes a classic group. */
  downgrade(other: string): Step[] {
    return [
      ...this.#consumers.leaveAll({ [other]: {} }),
      expecting(this.#classic.heartbeat('A', 'must join again', A), mustJoinAgain),
      succeeding(this.#classic.join('A', 'joins a classic group', says(HALF))),
      succeeding(this.#classic.sync('A', 'assigns', { ...A, assignments: { A: assignmentOf(ALL) } }))
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

  resume(partitions: Owned, ...others: string[]): Step[] {
    return [
      succeeding(this.#classic.heartbeat('A', 'continues', A)),
      expecting(this.#classic.sync('A', 'has what it had', A), has(partitions)),
      ...this.#consumers.remain(Object.fromEntries(others.map(member => [member, {}])))
    ]
  }
}

/** At each change of brokers the group has members of both protocols. */
function mixed(): GroupScenario {
  const id = 'mixed'
  const group = new Migrating(id)
  return {
    id,
    begin: () => [...group.begin(), ...group.upgrade('m0'), group.commit(1)],
    resume: phase => group.resume(HALF, `m${phase - 1}`),
    change: phase => [...group.downgrade(`m${phase - 1}`), ...group.upgrade(`m${phase}`), group.commit(phase * 10)]
  }
}

/** At each change of brokers the group is a classic group that was a consumer group before. */
function downgraded(): GroupScenario {
  const id = 'downgraded'
  const group = new Migrating(id)
  const visit = (phase: number): Step[] => [...group.upgrade(`m${phase}`), ...group.downgrade(`m${phase}`)]
  return {
    id,
    begin: () => [...group.begin(), ...visit(0), group.commit(1)],
    resume: () => group.resume(ALL),
    change: phase => [...visit(phase), group.commit(phase * 10)]
  }
}

/** A group without members that changes between both kinds. */
function turned(): GroupScenario {
  const id = 'turned'
  const classic = new Group(id)
  const consumers = new ConsumerMembers(id, TOPIC)
  const members = { m: {} }
  const visits = [
    [
      succeeding(classic.join('A', 'comes', { ...says(), memberId: '' })),
      succeeding(classic.sync('A', 'assigns', { ...A, assignments: { A: assignmentOf(ALL) } })),
      succeeding(classic.leave('A leaves', A))
    ],
    [...consumers.joinAll(members), consumers.settle(PARTITIONS, members), ...consumers.leaveAll(members)]
  ]
  const visit = (phase: number): Step[] => [commits(id, phase), ...(visits[phase % 2] ?? [])]
  return { id, begin: () => visit(0), resume: () => [], change: visit }
}

/** All mixed groups. */
export function mixedGroups(): readonly GroupScenario[] {
  return [mixed(), downgraded(), turned()]
}
