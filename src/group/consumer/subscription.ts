/**
 * What the group is subscribed to: changes by its members, regular expressions and what they stand for, and the hash that
 * tells whether the topics are still what they were when the group last moved on.
 */

import { rows } from '../../config/view.ts'
import { compilePattern } from '../../coordinator/patterns.ts'
import type { ResolvedRegex } from './group.ts'
import { type ConsumerMember, hasSameMetadata, hasSameNames, regexOf } from './member.ts'
import { groupHash } from './metadata-hash.ts'
import type { ConsumerOperation } from './operation.ts'
import { subscribedTopicIds } from './target.ts'

/** Expressions are resolved again after this long at the soonest. */
const REGEX_REFRESH_MIN_INTERVAL_MS = 10_000

const REGEX_ROWS = rows({ refreshIntervalMs: 'group.consumer.regex.refresh.interval.ms' })

/** What a request has changed of a member's subscription. An expression may stand for its topics already, or not yet. */
export interface SubscriptionChange {
  readonly names: boolean
  readonly regex: 'same' | 'unresolved' | 'resolved'
}

/** Writes down what a member tells of itself, where it is news. Throws INVALID_REGULAR_EXPRESSION. */
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
  operation.toResolve = regexesToResolve(operation, resolvedBefore)
  return { names, regex }
}

function changeRegex(
  operation: ConsumerOperation,
  before: ConsumerMember,
  after: ConsumerMember
): 'unresolved' | 'resolved' {
  const former = regexOf(before)
  const regex = regexOf(after)
  const used = operation.group.subscribedRegexes
  if (former !== null && !used.has(former)) operation.writeRegex(former, null)
  // One that others have is known to be valid.
  if (regex !== null && used.get(regex) === 1) compilePattern(regex)
  const isResolved = regex === null ? former !== null : operation.group.regexes.has(regex)
  return isResolved ? 'resolved' : 'unresolved'
}

/**
 * The expressions of the group, when it is time to look what they stand for: one is not resolved yet, there are new
 * topics, or it is long ago. `resolvedBefore` are those that were resolved when the operation began.
 */
function regexesToResolve(
  operation: ConsumerOperation,
  resolvedBefore: readonly ResolvedRegex[]
): ReadonlySet<string> | undefined {
  const { group, topics, now, settings } = operation
  const regexes = new Set(group.subscribedRegexes.keys())
  if (regexes.size === 0) return undefined
  // They are always resolved together, so one tells for all.
  const [last] = resolvedBefore
  const age = last ? now.wallMs - Number(last.timestamp) : Number.POSITIVE_INFINITY
  if (age <= REGEX_REFRESH_MIN_INTERVAL_MS) return undefined
  const isOutdated = regexes.size !== resolvedBefore.length || (last?.version ?? 0n) < topics.versionOfNewTopics
  return isOutdated || age > settings.view(REGEX_ROWS).refreshIntervalMs ? regexes : undefined
}

/**
 * What expressions stand for has been found out: where it is news, the epoch moves on. So it does where a member has
 * changed to one that matches less than its target says, were it nothing: others may want what it has given up.
 */
export function regexesResolved(operation: ConsumerOperation, resolved: ReadonlyMap<string, ResolvedRegex>): void {
  const used = operation.group.subscribedRegexes
  let isNews = false
  for (const [regex, found] of resolved) {
    if (!used.has(regex)) continue
    isNews ||= !isSameSet(operation.group.regexes.get(regex)?.topics ?? new Set(), found.topics)
    operation.writeRegex(regex, found)
  }
  if (isNews || subscriptionHash(operation) !== operation.group.metadataHash || hasUnwantedTarget(operation)) {
    bumpEpoch(operation, 'its expressions stand for other topics')
  }
}

function hasUnwantedTarget({ group, topics }: ConsumerOperation): boolean {
  if (group.assignmentEpoch < group.groupEpoch) return false
  for (const member of group.members.values()) {
    if (regexOf(member) === null) continue
    const subscribed = subscribedTopicIds(group, member, topics)
    for (const topicId of group.targetOf(member.memberId).keys()) if (!subscribed.has(topicId)) return true
  }
  return false
}

/**
 * Moves the epoch on if there is news, or if the topics are not what they were. What members of a classic group had amid a
 * rebalance is no assignment that could stay: they may have lost it.
 */
export function followMetadata(operation: ConsumerOperation, isNews: boolean): void {
  const { group, topics, isRebalanceCut } = operation
  const isDue = isNews || isRebalanceCut
  if (!isDue && group.metadataSeen === topics.version) return
  const why = isDue ? 'its members want something else' : 'its topics have changed'
  if (isDue || subscriptionHash(operation) !== group.metadataHash) bumpEpoch(operation, why)
  operation.group.metadataSeen = topics.version
  if (!operation.group.hasPartitionMetadata) return
  operation.write({ type: 'ConsumerGroupPartitionMetadata', key: { groupId: group.groupId }, value: null })
}

/** Begins the next epoch: members are to be assigned anew. */
export function bumpEpoch(operation: ConsumerOperation, why: string): void {
  operation.writeEpoch(operation.group.groupEpoch + 1, subscriptionHash(operation), why)
}

/** The metadata hash of all topics that the group is subscribed to. */
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
