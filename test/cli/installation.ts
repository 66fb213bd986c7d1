/** A copy of the package as in an installation, with selected native packages. */
import { cpSync, existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import manifest from '../../package.json' with { type: 'json' }
import { ROOT } from './minikafka.ts'

/** Copies the built package and the native packages that it depends on into the directory. Returns the path of the executable. */
export function install(directory: string, { without = [] }: { without?: readonly string[] } = {}): string {
  for (const path of ['bin', 'dist', 'package.json']) copy(path, directory)
  for (const name of Object.keys(manifest.dependencies)) copyPackage(name, directory, without)
  return join(directory, 'bin/minikafka.js')
}

/** A package, and the package with its binary for this platform. */
function copyPackage(name: string, directory: string, without: readonly string[]): void {
  copy(`node_modules/${name}`, directory)
  const { optionalDependencies = {} } = JSON.parse(
    readFileSync(join(ROOT, 'node_modules', name, 'package.json'), 'utf8')
  )
  if (without.includes(name)) return
  for (const binary of Object.keys(optionalDependencies)) {
    if (existsSync(join(ROOT, 'node_modules', binary))) copy(`node_modules/${binary}`, directory)
  }
}

function copy(path: string, directory: string): void {
  cpSync(join(ROOT, path), join(directory, path), { recursive: true })
}
