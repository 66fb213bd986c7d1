/** Values that are made on first use and kept, packages among them. */
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'

/** Calls `make` once, when the value is first asked for; again only if that throws. */
export function lazy<T>(make: () => T): () => T {
  let made: T | undefined
  return () => {
    made ??= make()
    return made
  }
}

/**
 * A package that is loaded on first use, which keeps start-up quick. `T` is the part of the module that is used. If the
 * package cannot be loaded (its binary for this machine is not installed), the result is that of `otherwise`, which gets the
 * reason in one line and may throw.
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

/** Whether the module can be found. It is not loaded. */
export function isInstalled(name: string): boolean {
  return canResolve(createRequire(import.meta.filename), name)
}

/**
 * Whether the binary of a native package is installed for this machine. It is not loaded. Such packages have a further package
 * for each platform, named after it.
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
