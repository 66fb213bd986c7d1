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

/** A package that is loaded when it is first used, which keeps start-up quick. `T` is the type of the module. */
export function lazyModule<T>(name: string): () => T {
  return lazy(() => createRequire(import.meta.url)(name) as T)
}
