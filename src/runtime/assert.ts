/** Assertions of internal invariants. A failure is a bug in minikafka, never an error of a client. */

/** Throws if `condition` does not hold. `message` states the invariant. */
export function assert(condition: unknown, message: string): asserts condition {
  if (!condition) throw new Error(`broken invariant: ${message}`)
}

/** For the default branch of an exhaustive `switch`: does not compile while a case is missing. */
export function unreachable(value: never): never {
  throw new Error(`broken invariant: unexpected ${JSON.stringify(value)}`)
}
