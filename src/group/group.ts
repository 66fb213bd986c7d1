/** A group of any kind that we have; groups of share and streams members would be the next. */
import type { AdminView } from './admin-view.ts'
import { adminView as classicView } from './classic/admin.ts'
import { type ClassicGroup, nextDeadline } from './classic/group.ts'
import { adminView as consumerView } from './consumer/admin.ts'
import type { ConsumerGroup } from './consumer/group.ts'

export type Group = ClassicGroup | ConsumerGroup

export function adminView(group: Group): AdminView {
  return group.type === 'classic' ? classicView(group) : consumerView(group)
}

/** The nearest time at which the group has something to do by itself. While it lies ahead it may be told too early. */
export function deadlineOf(group: Group, now: number): number {
  return group.type === 'classic' ? nextDeadline(group) : group.deadlines.next(now)
}
