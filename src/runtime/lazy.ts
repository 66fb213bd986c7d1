/** What is made by its first use, because few need it, and kept. */
import { createRequire } from 'node:module'

/** Calls `make` once, when the value is first asked for; again only if that throws. */
export function lazy<T>(make: () => T): () => T {
  let made: T | undefined
  return () => {
    made ??= make()
    return made
  }
}

/**
 * A package that is loaded when it is first used, which keeps start-up quick. `T` is what is used of the module. Where
 * it cannot be loaded (its binary for this machine is not installed) `otherwise` stands in for it, or throws; it is told
 * the reason in one line.
 */
export function lazyModule<T>(name: string, otherwise: (reason: string) => T): () => T {
  return lazy(() => {
    try {
      return createRequire(import.meta.filename)(name) as T
    } catch (error) {
      const [reason = ''] = String(error).split('\n')
      return otherwise(reason)
    }
  })
}
