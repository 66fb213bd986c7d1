/** Values and packages that are loaded on first use and cached. */
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'

/** Calls `make` on first use and caches the value. If `make` throws, the next use calls it again. */
export function lazy<T>(make: () => T): () => T {
  let made: T | undefined
  return () => {
    made ??= make()
    return made
  }
}

/**
 * A package that is loaded on first use, which keeps the start fast. `T` is the used part of the module. If the package cannot be
 * loaded (its binary for this machine is not installed), the result is that of `otherwise`. That function receives the reason in
 * one line and may throw.
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

/** True if the module can be resolved. Does not load it. */
export function isInstalled(name: string): boolean {
  return canResolve(createRequire(import.meta.filename), name)
}

/**
 * True if the binary of a native package is installed for this machine. Does not load it. Native packages have one optional
 * dependency for each platform, with the platform in its name.
 */
export function hasBinary(name: string): boolean {
  try {
    const main = createRequire(import.meta.filename).resolve(name)
    const require = createRequire(main)
    const { optionalDependencies = {} } = JSON.parse(readFileSync(join(dirname(main), 'package.json'), 'utf8'))
    const platform = new RegExp(`-${process.platform}-${process.arch}(-|$)`)
    const binaries = Object.keys(optionalDependencies)
    return binaries.length === 0 || binaries.some(binary => platform.test(binary) && canResolve(require, binary))
  } catch {
    return false
  }
}

function canResolve(require: NodeJS.Require, name: string): boolean {
  try {
    require.resolve(name)
    return true
  } catch {
    return false
  }
}
