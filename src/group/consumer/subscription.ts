/**
 * The subscriptions of a group: changes by members, resolution of regular expressions, and the metadata hash that detects changes
 * of the subscribed topics since the last group epoch.
 */

import { rows } from '../../config/view.ts'
import { compilePattern } from '../../coordinator/patterns.ts'
import type { GroupEpochReason } from '../../events/group-events.ts'
import { hasSameNames, regexOf } from '../modern/member.ts'
import { groupHash } from '../modern/metadata-hash.ts'
import type { ResolvedRegex } from '../modern/regexes.ts'
import { subscribedTopicIds } from '../modern/target.ts'
import { type ConsumerMember, hasSameMetadata } from './member.ts'
import type { ConsumerOperation } from './operation.ts'

/** The minimum time between two resolutions of expressions. */
const REGEX_REFRESH_MIN_INTERVAL_MS = 10_000

const REGEX_ROWS = rows({ refreshIntervalMs: 'group.consumer.regex.refresh.interval.ms' })

/** The changes of a member's subscription by a request. A changed expression may be resolved already, or not yet. */
export interface SubscriptionChange {
  readonly names: boolean
  readonly regex: 'same' | 'unresolved' | 'resolved'
}

/** Writes the metadata of a member if it has changed. Throws INVALID_REGULAR_EXPRESSION. */
export function updateMember(
  operation: ConsumerOperation,
  before: ConsumerMember,
  after: ConsumerMember
): SubscriptionChange {
  const resolvedBefore = [...operation.group.regexes.values()]
  if (!hasSameMetadata(before, after)) operation.writeMetadata(after)
  const names = !hasSameNames(before, after)
  const regex =
    before.subscribedTopicRegex === after.subscribedTopicRegex ? 'same' : changeRegex(operation, before, after)
  operation.resolveLater(regexesToResolve(operation, resolvedBefore))
  return { names, regex }
}

function changeRegex(
  operation: ConsumerOperation,
  before: ConsumerMember,
  after: ConsumerMember
): 'unresolved' | 'resolved' {
  const previousRegex = regexOf(before)
  const regex = regexOf(after)
  const used = operation.group.subscribedRegexes
  if (previousRegex !== null && !used.has(previousRegex)) operation.writeRegex(previousRegex, null)
  // An expression that other members use is valid.
  if (regex !== null && used.get(regex) === 1) compilePattern(regex)
  const isResolved = regex === null ? previousRegex !== null : operation.group.regexes.has(regex)
  return isResolved ? 'resolved' : 'unresolved'
}

/**
 * The expressions of the group if they must be resolved: one is unresolved, topics were created, or the refresh interval is over.
 * `resolvedBefore` has the resolutions at the beginning of the operation.
 */
function regexesToResolve(
  operation: ConsumerOperation,
  resolvedBefore: readonly ResolvedRegex[]
): ReadonlySet<string> | undefined {
  const { group, topics, now, settings } = operation
  const regexes = new Set(group.subscribedRegexes.keys())
  if (regexes.size === 0) return undefined
  // All expressions of a group are resolved together, so the first one is representative.
  const [last] = resolvedBefore
  const age = last ? now.wallMs - Number(last.timestamp) : Number.POSITIVE_INFINITY
  if (age <= REGEX_REFRESH_MIN_INTERVAL_MS) return undefined
  const isOutdated = regexes.size !== resolvedBefore.length || (last?.version ?? 0n) < topics.versionOfNewTopics
  return isOutdated || age > settings.view(REGEX_ROWS).refreshIntervalMs ? regexes : undefined
}

/**
 * Applies resolved expressions, and bumps the group epoch if the matching topics or the metadata hash differ. Also if the target of a
 * member has topics that its changed expression does not match: other members may get their partitions.
 */
export function regexesResolved(operation: ConsumerOperation, resolved: ReadonlyMap<string, ResolvedRegex>): void {
  const used = operation.group.subscribedRegexes
  let hasChanged = false
  for (const [regex, found] of resolved) {
    if (!used.has(regex)) continue
    hasChanged ||= !isSameSet(operation.group.regexes.get(regex)?.topics ?? new Set(), found.topics)
    operation.writeRegex(regex, found)
  }
  if (hasChanged || subscriptionHash(operation) !== operation.group.metadataHash || hasUnsubscribedTarget(operation)) {
    bumpEpoch(operation, 'RegularExpressionsResolved')
  }
}

function hasUnsubscribedTarget({ group, topics }: ConsumerOperation): boolean {
  if (group.assignmentEpoch < group.groupEpoch) return false
  for (const member of group.members.values()) {
    if (regexOf(member) === null) continue
    const subscribed = subscribedTopicIds(group, member, topics)
    for (const topicId of group.targetOf(member.memberId).keys()) if (!subscribed.has(topicId)) return true
  }
  return false
}

/**
 * Bumps the group epoch after a member's change (`hasChanged`), or if the hash of the topics has changed. It also bumps it after an
 * upgrade during a rebalance: the members may have lost their partitions.
 */
export function followMetadata(operation: ConsumerOperation, hasChanged: boolean): void {
  const { group, topics, isRebalanceCut } = operation
  const isDue = hasChanged || isRebalanceCut
  if (!isDue && group.metadataSeen === topics.version) return
  const reason = isDue ? 'SubscriptionsChanged' : 'TopicsChanged'
  if (isDue || subscriptionHash(operation) !== group.metadataHash) bumpEpoch(operation, reason)
  operation.group.seeMetadata(topics.version)
  if (!operation.group.hasPartitionMetadata) return
  operation.write({ type: 'ConsumerGroupPartitionMetadata', key: { groupId: group.groupId }, value: null })
}

/** Begins the next group epoch, which needs a new target assignment. */
export function bumpEpoch(operation: ConsumerOperation, reason: GroupEpochReason): void {
  operation.writeEpoch(operation.group.groupEpoch + 1, subscriptionHash(operation), reason)
}

/** The metadata hash of all topics that the group subscribes to. */
export function subscriptionHash({ group, topics }: Pick<ConsumerOperation, 'group' | 'topics'>): bigint {
  const hashes = new Map<string, bigint>()
  for (const name of group.subscribedTopics) {
    const hash = topics.hashOf(name)
    if (hash !== undefined) hashes.set(name, hash)
  }
  return groupHash(hashes)
}

function isSameSet(set: ReadonlySet<string>, other: ReadonlySet<string>): boolean {
  return set.size === other.size && [...set].every(element => other.has(element))
}
