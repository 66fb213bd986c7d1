/** The result of an operation of a group of any kind. */
import type { ClassicOperation, DelayedResponse } from './classic/operation.ts'
import type { Group } from './group.ts'
import type { GroupRecord } from './records.ts'

/** Records first, then the group as it is from now on, then answers to those who are delayed. */
export interface CoordinatorResult {
  readonly group: Group
  readonly records: readonly GroupRecord[]
  readonly responses: readonly DelayedResponse[]
}

/** The result of an operation of a classic group. `before` holds records that come first: the tombstones of a consumer group. */
export function coordinatorResultOf(
  { group, record, responses }: ClassicOperation,
  before: readonly GroupRecord[] = []
): CoordinatorResult {
  const key = { group: group.groupId }
  const own: GroupRecord[] = record ? [{ type: 'GroupMetadata', key, value: record }] : []
  return { group, records: [...before, ...own], responses }
}
