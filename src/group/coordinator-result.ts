/** The result of an operation on a group of any type. */
import type { ClassicOperation, DelayedResponse } from './classic/operation.ts'
import type { Group } from './group.ts'
import type { GroupRecord } from './records.ts'

/** The records to append, then the new state of the group, then the delayed responses to send. */
export interface CoordinatorResult {
  readonly group: Group
  readonly records: readonly GroupRecord[]
  readonly responses: readonly DelayedResponse[]
}

/** The result of an operation of a classic group. `before` has records that precede it: the tombstones of a consumer group. */
export function coordinatorResultOf(
  { group, record, responses }: ClassicOperation,
  before: readonly GroupRecord[] = []
): CoordinatorResult {
  const key = { group: group.groupId }
  const own: GroupRecord[] = record ? [{ type: 'GroupMetadata', key, value: record }] : []
  return { group, records: [...before, ...own], responses }
}
