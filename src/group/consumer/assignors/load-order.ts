/**
 * Who gets the next partition, and who gives one. Members are seen as columns, as high as they have partitions, sorted:
 * the takers fill the low ground evenly, the givers wear the high ground down evenly. A step costs the same however many
 * members there are. Both walk the same array and see loads change; who uses them ends when the two meet.
 */
import { assert } from '../../../runtime/assert.ts'

/** Whatever has a number of partitions. */
export interface Loaded {
  readonly load: number
}

/** For ever who has least, each time trusting that the last one has got one more. Wants at least one member. */
export function* leastLoaded<M extends Loaded>(members: readonly M[]): Generator<M, never> {
  const [lowest] = members
  assert(lowest, 'a topic without subscribers gives nothing')
  let end = 0
  for (let level = lowest.load; ; level++) {
    while (members[end]?.load === level) end++
    yield* members.slice(0, end)
  }
}

/**
 * Who has most, each time trusting that the last one has one less; ends when nobody can give. They who cannot are put
 * behind those who can, in exchange for the last of these, so the array changes.
 */
export function* mostLoaded<M extends Loaded>(members: M[], canGive: (member: M) => boolean): Generator<M, void> {
  let start = members.length
  let end = members.length
  let level = members[end - 1]?.load
  while (level !== undefined) {
    while (members[start - 1]?.load === level) start--
    for (let at = end - 1; at >= start; at--) {
      const member = members[at]
      if (member && canGive(member)) yield member
      else swap(members, at, --end)
    }
    level = end > start ? level - 1 : members[start - 1]?.load
  }
}

function swap<M>(members: M[], index: number, other: number): void {
  const [a, b] = [members[index], members[other]]
  assert(a && b, 'only members in the array change places')
  members[index] = b
  members[other] = a
}
