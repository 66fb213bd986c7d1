/**
 * Counts of a group's members by subscribed topic name and by regular expression. They are updated when members change, so that
 * requests need not visit all members. Copies share the counts until one of them changes.
 */

import type { Subscription } from './member.ts'
import { regexOf } from './member.ts'

type Counts = Map<string, number>

export class Subscriptions {
  #names: Counts = new Map()
  #regexes: Counts = new Map()
  #isShared = false

  copy(): Subscriptions {
    const copy = new Subscriptions()
    copy.#names = this.#names
    copy.#regexes = this.#regexes
    copy.#isShared = true
    this.#isShared = true
    return copy
  }

  /** The number of members by topic name. */
  get names(): ReadonlyMap<string, number> {
    return this.#names
  }

  /** The number of members by regular expression. */
  get regexes(): ReadonlyMap<string, number> {
    return this.#regexes
  }

  /**
   * Replaces the subscription of one member; undefined before it joins and after it leaves. Returns true if the set of names has
   * changed.
   */
  replace(before: Subscription | undefined, after: Subscription | undefined): boolean {
    const hasSameRegex = (before && regexOf(before)) === (after && regexOf(after))
    if (hasSameRegex && before?.subscribedTopicNames === after?.subscribedTopicNames) return false
    this.#unshare()
    const [left, come] = [this.#count(before, -1), this.#count(after, 1)]
    return left || come
  }

  #unshare(): void {
    if (!this.#isShared) return
    this.#names = new Map(this.#names)
    this.#regexes = new Map(this.#regexes)
    this.#isShared = false
  }

  #count(member: Subscription | undefined, by: 1 | -1): boolean {
    if (!member) return false
    const regex = regexOf(member)
    if (regex !== null) add(this.#regexes, regex, by)
    let hasChanged = false
    for (const name of member.subscribedTopicNames) hasChanged = add(this.#names, name, by) || hasChanged
    return hasChanged
  }
}

/** Returns true for the first member of a key, and for the removal of the last one. */
function add(counts: Counts, key: string, by: 1 | -1): boolean {
  const before = counts.get(key) ?? 0
  const after = before + by
  if (after === 0) counts.delete(key)
  else counts.set(key, after)
  return before === 0 || after === 0
}
