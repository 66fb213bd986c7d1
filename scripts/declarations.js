/**
 * The type declarations of the public entry points: of all declarations that the compiler writes, those that an entry
 * point reaches.
 */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'

const IMPORT = /((?:from|import) ?\(?)'(\.[^']+)\.ts'/g

/** Text of each declaration file by its path in dist: CommonJS, as the implementation is. */
export function publicDeclarations(root, entries) {
  const tsc = join(dirname(createRequire(import.meta.url).resolve('typescript/package.json')), 'bin/tsc')
  const compiled = mkdtempSync(join(tmpdir(), 'minikafka-types-'))
  try {
    execFileSync(process.execPath, [tsc, '-p', 'tsconfig.types.json', '--outDir', compiled], {
      cwd: root,
      stdio: 'inherit'
    })
    const declarations = new Map()
    for (const [entry, source] of Object.entries(entries)) {
      const module = source.replace(/^src\/|\.ts$/g, '')
      addWithImports(declarations, compiled, module)
      if (module !== entry) declarations.set(`${entry}.d.cts`, handingOn(module, declarations.get(`${module}.d.cts`)))
    }
    return declarations
  } finally {
    rmSync(compiled, { recursive: true })
  }
}

/** The declarations of an entry point whose source is in a folder of src. */
function handingOn(module, declarations) {
  const hasDefault = /^export (default|\{.*\bdefault\b)/m.test(declarations)
  return `export * from './${module}.cjs'\n${hasDefault ? `export { default } from './${module}.cjs'\n` : ''}`
}

function addWithImports(declarations, compiled, module) {
  const path = `${module}.d.cts`
  if (declarations.has(path)) return
  const text = readFileSync(join(compiled, `${module}.d.ts`), 'utf8')
  declarations.set(path, text.replace(IMPORT, "$1'$2.cjs'"))
  for (const [, , target] of text.matchAll(IMPORT))
    addWithImports(declarations, compiled, join(dirname(module), target))
}
