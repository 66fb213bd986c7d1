/** The packages of an installation of minikafka, and the packages in its bundle. */
import { existsSync, lstatSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import manifest from '../../package.json' with { type: 'json' }
import { ROOT } from './minikafka.ts'

/** The limits in docs/package.md. */
const MOST_PACKAGES = 11
const MOST_BYTES = 8 * 1024 * 1024

interface Lock {
  readonly packages: Readonly<Record<string, LockedPackage>>
}

interface LockedPackage {
  readonly dependencies?: Readonly<Record<string, string>>
  readonly optionalDependencies?: Readonly<Record<string, string>>
  readonly hasInstallScript?: boolean
}

const lock: Lock = JSON.parse(readFileSync(join(ROOT, 'package-lock.json'), 'utf8'))

/** Folders of all packages that minikafka depends on, including those for other platforms. */
function runtimeFolders(): string[] {
  const folders = new Set<string>()
  const visit = (dependencies: Readonly<Record<string, string>> = {}) => {
    for (const folder of Object.keys(dependencies).map(name => `node_modules/${name}`)) {
      if (folders.has(folder)) continue
      folders.add(folder)
      visit(lock.packages[folder]?.dependencies)
      visit(lock.packages[folder]?.optionalDependencies)
    }
  }
  visit(manifest.dependencies)
  return [...folders]
}

function filesOf(path: string): string[] {
  if (!lstatSync(path).isDirectory()) return [path]
  return readdirSync(path).flatMap(name => filesOf(join(path, name)))
}

describe('an installation of minikafka', () => {
  const installed = runtimeFolders().filter(folder => existsSync(join(ROOT, folder)))
  const files = [...manifest.files, 'package.json', ...installed].flatMap(path => filesOf(join(ROOT, path)))

  it(`has at most ${MOST_PACKAGES} packages and ${MOST_BYTES} bytes`, () => {
    expect(1 + installed.length).toBeLessThanOrEqual(MOST_PACKAGES)
    expect(files.reduce((sum, file) => sum + lstatSync(file).size, 0)).toBeLessThanOrEqual(MOST_BYTES)
  })

  it('the package depends on native packages only; others are bundled', () => {
    const binaries = files.filter(file => /\.(node|wasm)$/.test(file))
    const natives = Object.keys(manifest.dependencies).filter(name => {
      const platforms = Object.keys(lock.packages[`node_modules/${name}`]?.optionalDependencies ?? {})
      return [name, ...platforms].some(folder =>
        binaries.some(file => file.startsWith(join(ROOT, 'node_modules', folder, '/')))
      )
    })
    expect(natives).toEqual(Object.keys(manifest.dependencies))
  })

  it('an installation runs no install script', () => {
    expect(runtimeFolders().filter(folder => lock.packages[folder]?.hasInstallScript)).toEqual([])
    expect(Object.keys(manifest.scripts).filter(name => /^(pre|post)?(install|prepare)$/.test(name))).toEqual([])
    expect(Object.keys(manifest)).not.toContain('optionalDependencies')
    expect(Object.keys(manifest.peerDependencies)).toEqual(
      Object.entries(manifest.peerDependenciesMeta).flatMap(([name, { optional }]) => (optional ? [name] : []))
    )
  })
})

describe('the published files', () => {
  it('the published files contain the license of each bundled package', () => {
    const bundles = filesOf(join(ROOT, 'dist')).filter(file => file.endsWith('.cjs'))
    // esbuild names each source in a comment.
    const names = bundles.flatMap(file =>
      Array.from(
        readFileSync(file, 'utf8').matchAll(/^ *\/\/ .*\bnode_modules\/((?:@[^/\s]+\/)?[^/\s]+)\//gm),
        ([, name = '']) => name
      )
    )
    expect(names).toEqual(expect.arrayContaining(['commander', 'crc-32', 'pino', 'pino-pretty', 're2js']))
    const licenses = readFileSync(join(ROOT, 'THIRD-PARTY-LICENSES'), 'utf8')
    expect([...new Set(names)].filter(name => !licenses.includes(`\n${name} `))).toEqual([])
    expect(manifest.files).toContain('THIRD-PARTY-LICENSES')
  })

  it('the published files contain each file that README.md links to', () => {
    const readme = readFileSync(join(ROOT, 'README.md'), 'utf8')
    const targets = Array.from(
      readme.matchAll(/\]\(([^)]+)\)|^\[[^\]]+\]: (\S+)/gm),
      ([, inline, reference]) => inline ?? reference ?? ''
    )
    expect(targets).not.toEqual([])
    const repository = `${manifest.homepage.replace('#readme', '')}/blob/main/`
    const path = (target: string) => target.replace(repository, '').replace(/#.*/, '')
    expect(
      targets.filter(target => !target.startsWith('https://')).filter(target => !manifest.files.includes(path(target)))
    ).toEqual([])
    expect(
      targets.filter(target => target.startsWith(repository)).filter(target => !existsSync(join(ROOT, path(target))))
    ).toEqual([])
  })
})
