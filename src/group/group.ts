/** A group of any served type: classic or consumer. Share and streams groups are not served. */
import type { AdminView } from './admin-view.ts'
import { adminView as classicView } from './classic/admin.ts'
import { type ClassicGroup, nextDeadline } from './classic/group.ts'
import { adminView as consumerView } from './consumer/admin.ts'
import type { ConsumerGroup } from './consumer/group.ts'

export type Group = ClassicGroup | ConsumerGroup

export function adminView(group: Group): AdminView {
  return group.type === 'classic' ? classicView(group) : consumerView(group)
}

/** The time of the group's nearest deadline. A value in the future may be too early: a consumer group keeps a lower bound. */
export function deadlineOf(group: Group, now: number): number {
  return group.type === 'classic' ? nextDeadline(group) : group.deadlines.next(now)
}
