/**
 * What the members of a group are subscribed to: how many by each name, and by each regular expression. It is counted as
 * they come and go, so that no request looks at all of them. Copies share the counts until one of them changes.
 */
import { type ConsumerMember, regexOf } from './member.ts'

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

  /** Members by the name of a topic. */
  get names(): ReadonlyMap<string, number> {
    return this.#names
  }

  /** Members by regular expression. */
  get regexes(): ReadonlyMap<string, number> {
    return this.#regexes
  }

  /** One member changes its subscription; undefined for one that comes, or goes. True where the names are others by that. */
  replace(before: ConsumerMember | undefined, after: ConsumerMember | undefined): boolean {
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

  #count(member: ConsumerMember | undefined, by: 1 | -1): boolean {
    if (!member) return false
    const regex = regexOf(member)
    if (regex !== null) add(this.#regexes, regex, by)
    let isNews = false
    for (const name of member.subscribedTopicNames) isNews = add(this.#names, name, by) || isNews
    return isNews
  }
}

/** True for the first that comes, and the last that goes. */
function add(counts: Counts, key: string, by: 1 | -1): boolean {
  const before = counts.get(key) ?? 0
  const after = before + by
  if (after === 0) counts.delete(key)
  else counts.set(key, after)
  return before === 0 || after === 0
}
