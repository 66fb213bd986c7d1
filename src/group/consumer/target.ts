/** The target assignment of a consumer group: when it is computed, and by which assignor. */
import { derived, rows } from '../../config/view.ts'
import { KafkaError } from '../../protocol/errors.ts'
import type { Assignor } from '../modern/assignors/assignor.ts'
import { rangeAssignor } from '../modern/assignors/range.ts'
import { uniformAssignor } from '../modern/assignors/uniform.ts'
import { changedTargets } from '../modern/target.ts'
import type { ConsumerOperation } from './operation.ts'

/** Assignors by their names in `group.consumer.assignors`: short names and Kafka's class names. */
const ASSIGNORS: ReadonlyMap<string, Assignor> = new Map([
  ['uniform', uniformAssignor],
  ['range', rangeAssignor],
  ['org.apache.kafka.coordinator.group.assignor.UniformAssignor', uniformAssignor],
  ['org.apache.kafka.coordinator.group.assignor.RangeAssignor', rangeAssignor]
])

export const ASSIGNMENT_ROWS = rows({
  assignmentIntervalMs: 'consumer.assignment.interval.ms',
  /** The configured assignors by name. The first one is the default of members without a preference. */
  assignors: derived(['group.consumer.assignors'], assignorsNamed)
})

function assignorsNamed(names: readonly string[]): ReadonlyMap<string, Assignor> {
  const assignors = names.flatMap(name => ASSIGNORS.get(name) ?? [])
  return new Map(assignors.map(assignor => [assignor.name, assignor]))
}

/** Computes the target assignment of the group epoch, if it is missing and `consumer.assignment.interval.ms` has passed. */
export function updateTarget(operation: ConsumerOperation): void {
  const { group, topics } = operation
  if (group.assignmentEpoch >= group.groupEpoch || !isTimeToAssign(operation)) return
  const assignor = preferredAssignor(operation)
  for (const [memberId, target] of changedTargets(group, assignor, topics)) operation.writeTarget(memberId, target)
  operation.writeAssignmentEpoch(group.groupEpoch, operation.now.wallMs)
}

/** True if the time of the last target is unknown or reset, or if the interval has passed. */
function isTimeToAssign({ group, now, settings }: ConsumerOperation): boolean {
  const { assignmentIntervalMs } = settings.view(ASSIGNMENT_ROWS)
  return (
    group.assignmentTimestamp === 0 ||
    assignmentIntervalMs === 0 ||
    now.wallMs >= group.assignmentTimestamp + assignmentIntervalMs
  )
}

/** The assignor that most members prefer. With equal counts, the first one in the broker's configuration. */
export function preferredAssignor({ group, settings }: Pick<ConsumerOperation, 'group' | 'settings'>): Assignor {
  const { assignors } = settings.view(ASSIGNMENT_ROWS)
  const votes = new Map([...assignors.keys()].map(name => [name, 0]))
  for (const { serverAssignor } of group.members.values()) {
    const count = votes.get(serverAssignor ?? '')
    if (serverAssignor !== null && count !== undefined) votes.set(serverAssignor, count + 1)
  }
  const [winner] = [...votes].sort(([, a], [, b]) => b - a)
  const assignor = assignors.get(winner?.[0] ?? '')
  if (!assignor) throw new KafkaError('UNKNOWN_SERVER_ERROR', 'the broker has no assignor')
  return assignor
}
