/** The modules that `minikafka start` loads before its ready line. docs/structure.md has the reason for each. */
import { spawnSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { ROOT } from './minikafka.ts'
import { freshTerminal } from './terminal.ts'

const terminal = freshTerminal()

interface Loaded {
  readonly files: readonly string[]
  /** Node's own modules, without internal ones. */
  readonly builtins: readonly string[]
}

/** Preloaded into a process, it writes the loaded modules to stderr on SIGUSR2; as the main module it writes them at once. */
const PROBE = `
  const { writeSync } = require('node:fs')
  const write = () => {
    const builtins = process.moduleLoadList.flatMap(name => /^NativeModule (?!internal\\/)(.*)/.exec(name)?.[1] ?? [])
    writeSync(2, JSON.stringify({ files: Object.keys(require.cache), builtins }) + '\\n')
  }
  if (require.main === module) write()
  else process.on('SIGUSR2', write)`

/** The modules of an empty process, and of a broker that has just written its ready line. */
async function loadedModules(): Promise<{ empty: Loaded; start: Loaded }> {
  const probe = join(terminal.directory, 'probe.cjs')
  writeFileSync(probe, PROBE)
  const { stderr } = spawnSync(process.execPath, [probe], { encoding: 'utf8' })
  const args = ['start', '--port', '0', '--log-level', 'silent', '--data-dir', join(terminal.directory, 'data')]
  const run = terminal.minikafka(args, { NODE_OPTIONS: `--require ${probe}` })
  await run.written('stdout', /ready on .*\n/)
  run.child.kill('SIGUSR2')
  return { empty: JSON.parse(stderr), start: JSON.parse(await run.written('stderr', /^.*\n/)) }
}

/** The folders of src and the packages in bundled files; esbuild names each source in a comment. */
function bundled(files: readonly string[]): string[] {
  return files.flatMap(file =>
    Array.from(
      readFileSync(file, 'utf8').matchAll(/^ *\/\/ (src\/[^/\s]+(?=\/)|(?:.*\bnode_modules\/)((?:@[^/]+\/)?[^/]+))/gm),
      ([, path = '', name]) => name ?? path
    )
  )
}

/** Names in the first column of the table, and the reason in the second. */
function reasons(): Map<string, string> {
  const [, section = ''] = readFileSync(join(ROOT, 'docs/structure.md'), 'utf8').split(
    '\n## Modules that a start loads\n'
  )
  return new Map(
    Array.from(section.split('\n## ')[0]?.matchAll(/^\| (`.*`) \| (.+) \|$/gm) ?? []).flatMap(
      ([, names = '', reason = '']) =>
        Array.from(names.matchAll(/`([^`]+)`/g), ([, name = '']) => [name, reason] as const)
    )
  )
}

it('docs/structure.md gives a reason for each module that a start loads, and for no other', async () => {
  const { empty, start } = await loadedModules()
  const isBundle = (file: string) => file.startsWith(join(ROOT, 'dist'))
  const packages = start.files.flatMap(file => /.*\bnode_modules\/((?:@[^/]+\/)?[^/]+)/.exec(file)?.[1] ?? [])
  const builtins = start.builtins.filter(name => !empty.builtins.includes(name)).map(name => `node:${name}`)
  const names = new Set([...builtins, ...packages, ...bundled(start.files.filter(isBundle))])
  const listed = reasons()
  expect([...names].filter(name => !listed.has(name))).toEqual([])
  // Another version of Node can load some of its modules in an empty process.
  const all = new Set([...names, ...start.builtins.map(name => `node:${name}`)])
  expect([...listed.keys()].filter(name => !all.has(name))).toEqual([])
})
