/** The deadlines of a consumer group's members. A member whose deadline expires is fenced. */

/**
 * The deadlines of a member: of its session, of a revocation, and for members of the classic protocol of JoinGroup and SyncGroup.
 */
export type DeadlineKind = 'session' | 'rebalance' | 'join' | 'sync'

export class Deadlines {
  #byMember = new Map<string, ReadonlyMap<DeadlineKind, number>>()
  /**
   * A lower bound of all deadlines. It is not raised when a deadline moves to a later time, as sessions do with every heartbeat.
   */
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

  /** As `set`, unless the member has a deadline of this kind. */
  setIfAbsent(memberId: string, kind: DeadlineKind, deadline: number): void {
    if (!this.#byMember.get(memberId)?.has(kind)) this.set(memberId, kind, deadline)
  }

  clear(memberId: string, kind: DeadlineKind): void {
    const kept = new Map(this.#byMember.get(memberId))
    if (kept.delete(kind)) this.#byMember.set(memberId, kept)
  }

  /** Removes all deadlines of the member. */
  forget(memberId: string): void {
    this.#byMember.delete(memberId)
  }

  /**
   * The nearest deadline, or Infinity. A value in the future may be too early: the exact minimum is computed only when the lower
   * bound is due.
   */
  next(now: number): number {
    if (this.#atLeast <= now) this.#atLeast = this.#nearest()
    return this.#atLeast
  }

  /** The expired deadlines, at most one per member. */
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
