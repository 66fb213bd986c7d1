/** What an operation of a group of any kind comes to. */
import type { ClassicOperation, DelayedResponse } from './classic/operation.ts'
import type { Group } from './group.ts'
import type { GroupRecord } from './records.ts'

/** Records first, then the group as it is from now on, then answers to those who are delayed. */
export interface CoordinatorResult {
  readonly group: Group
  readonly records: readonly GroupRecord[]
  readonly responses: readonly DelayedResponse[]
}

/** What an operation of a classic group comes to. `before` is what the log must hold first: the end of a group of another kind. */
export function coordinatorResultOf(
  { group, record, responses }: ClassicOperation,
  before: readonly GroupRecord[] = []
): CoordinatorResult {
  const key = { group: group.groupId }
  const own: GroupRecord[] = record ? [{ type: 'GroupMetadata', key, value: record }] : []
  return { group, records: [...before, ...own], responses }
}
