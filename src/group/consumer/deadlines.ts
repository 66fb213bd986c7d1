/** When members are taken for gone unless something happens before. */

/** What a member must do in time: renew its session, give partitions up, or, speaking classic, come to join or sync. */
export type DeadlineKind = 'session' | 'rebalance' | 'join' | 'sync'

export class Deadlines {
  #byMember = new Map<string, ReadonlyMap<DeadlineKind, number>>()
  /** None is nearer than this. It stays behind where deadlines move away, as those of sessions do all the time. */
  #atLeast = Number.POSITIVE_INFINITY

  copy(): Deadlines {
    const copy = new Deadlines()
    copy.#byMember = new Map(this.#byMember)
    copy.#atLeast = this.#atLeast
    return copy
  }

  set(memberId: string, kind: DeadlineKind, deadline: number): void {
    this.#byMember.set(memberId, new Map(this.#byMember.get(memberId)).set(kind, deadline))
    this.#atLeast = Math.min(this.#atLeast, deadline)
  }

  /** As `set`, unless that deadline runs already. */
  setIfAbsent(memberId: string, kind: DeadlineKind, deadline: number): void {
    if (!this.#byMember.get(memberId)?.has(kind)) this.set(memberId, kind, deadline)
  }

  clear(memberId: string, kind: DeadlineKind): void {
    const kept = new Map(this.#byMember.get(memberId))
    if (kept.delete(kind)) this.#byMember.set(memberId, kept)
  }

  /** None runs for the member any more. */
  forget(memberId: string): void {
    this.#byMember.delete(memberId)
  }

  /** The nearest of all, or Infinity. While that lies ahead it may be told too early: nobody goes through all of them then. */
  next(now: number): number {
    if (this.#atLeast <= now) this.#atLeast = this.#nearest()
    return this.#atLeast
  }

  /** Those that have been reached, one a member. */
  *reached(now: number): Iterable<{ readonly memberId: string; readonly kind: DeadlineKind }> {
    for (const [memberId, kinds] of this.#byMember) {
      const [reached] = [...kinds].filter(([, deadline]) => deadline <= now)
      if (reached) yield { memberId, kind: reached[0] }
    }
  }

  #nearest(): number {
    let nearest = Number.POSITIVE_INFINITY
    for (const kinds of this.#byMember.values()) {
      for (const deadline of kinds.values()) nearest = Math.min(nearest, deadline)
    }
    return nearest
  }
}
