/** Members that did not come in time are taken for gone. */
import { assert } from '../../runtime/assert.ts'
import type { DeadlineKind } from './deadlines.ts'
import { fenceMembers } from './downgrade.ts'
import { type ConsumerMember, nameOf } from './member.ts'
import type { ConsumerOperation } from './operation.ts'

const WHY: Record<DeadlineKind, string> = {
  session: 'its session ended',
  rebalance: 'it did not give up its partitions in time',
  join: 'it did not send JoinGroup in time',
  sync: 'it did not send SyncGroup in time'
}

/** Takes out one member whose time is over; another operation does the next, for this one may have changed everything. */
export function expire(operation: ConsumerOperation): void {
  const [reached] = operation.group.deadlines.reached(operation.now.deadlineMs)
  if (!reached) return
  const member = operation.group.members.get(reached.memberId)
  assert(member, `who has a deadline is a member: ${reached.memberId}`)
  operation.notes.push(`${nameOf(member)} is taken for gone: ${WHY[reached.kind]}`)
  fenceMembers(operation, [member])
}

/** A group that was just loaded: all its members have all of their time before them. */
export function startDeadlines({ group, now, limits }: ConsumerOperation): void {
  for (const member of group.members.values()) {
    group.deadlines.set(member.memberId, 'session', now.deadlineMs + limits.sessionTimeoutMs)
    if (isRevoking(member))
      group.deadlines.set(member.memberId, 'rebalance', now.deadlineMs + member.rebalanceTimeoutMs)
  }
}

function isRevoking({ state, classic }: ConsumerMember): boolean {
  return state === 'UnrevokedPartitions' && classic === null
}
