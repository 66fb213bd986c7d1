/** What the broker's settings say about consumer groups. */

/** Whether a group with members may change its protocol: from classic (upgrade), to classic (downgrade), both ways, or not. */
export type MigrationPolicy = 'bidirectional' | 'upgrade' | 'downgrade' | 'disabled'

/** The settings; times are those of groups that have none of their own, and the bounds of those that have. */
export interface ConsumerGroupSettings {
  readonly sessionTimeoutMs: number
  readonly minSessionTimeoutMs: number
  readonly maxSessionTimeoutMs: number
  readonly heartbeatIntervalMs: number
  readonly minHeartbeatIntervalMs: number
  readonly maxHeartbeatIntervalMs: number
  /** How long to wait after an assignment before the next. Changes while the broker runs. */
  readonly assignmentIntervalMs: number
  readonly minAssignmentIntervalMs: number
  readonly maxAssignmentIntervalMs: number
  /** The most members of a group. */
  readonly maxSize: number
  /** Names of assignors; members who name none are given the first. */
  readonly assignors: readonly string[]
  readonly migrationPolicy: MigrationPolicy
  readonly regexRefreshIntervalMs: number
}
