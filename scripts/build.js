/**
 * Builds dist: CommonJS that the entry points share in chunks, split so that heavy modules load on first use, and a thin ES
 * module for each public entry point; dist/zstd-wasm.json; and THIRD-PARTY-LICENSES. `node scripts/build.js --types` also writes the
 * public type declarations. With MINIKAFKA_DIST=built it does nothing: dist is current, and brokers may run from it.
 */
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { toCommonJs } from './commonjs.js'
import { publicDeclarations } from './declarations.js'
import { thirdPartyLicenses } from './licenses.js'
import { WASM_PACKAGES, zstdWasm } from './zstd-wasm.js'

if (process.env.MINIKAFKA_DIST === 'built') process.exit()

const root = fileURLToPath(new URL('..', import.meta.url))

/** Public entry points: the part of the specifier after `minikafka/`, or `index`, and the source file. */
const entries = JSON.parse(readFileSync(join(root, 'scripts/entries.json'), 'utf8'))

// Native packages find their binaries relative to their own files, and dist must load without them. All others are bundled.
const { dependencies, peerDependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
const native = Object.keys({ ...dependencies, ...peerDependencies })

/** Name of the export that takes the module of a test runner. */
const CONNECT = 'connect'

const STRICT = '"use strict";'

const { metafile, outputFiles } = await build({
  absWorkingDir: root,
  entryPoints: { ...entries, 'cli/main': 'src/cli/main.ts' },
  outdir: 'dist',
  chunkNames: 'chunks/[name]-[hash]',
  outExtension: { '.js': '.cjs' },
  bundle: true,
  splitting: true,
  format: 'esm',
  platform: 'node',
  target: 'node20',
  supported: { 'top-level-await': false },
  define: { 'import.meta.filename': '__filename' },
  external: native,
  banner: { js: STRICT },
  sourcemap: 'linked',
  // Stack traces show our files and lines; the sources are in the repository.
  sourcesContent: false,
  legalComments: 'none',
  logLevel: 'warning',
  metafile: true,
  write: false
})

/** Text of each file of dist, by its path from there. */
const files = new Map(
  outputFiles.map(({ path, text }) => [relative(join(root, 'dist'), path).replaceAll('\\', '/'), text])
)
for (const [path, text] of files) if (path.endsWith('.cjs')) files.set(path, toCommonJs(text))
const declared = process.argv.includes('--types') ? publicDeclarations(root, entries) : []
for (const [path, text] of declared) files.set(path, text)
files.set('zstd-wasm.json', JSON.stringify(zstdWasm()))
for (const entry of Object.keys(entries)) {
  const implementation = `${entry}.cjs`
  const { js, declarations } = esModule(entry, metafile.outputs[`dist/${implementation}`].exports)
  files.set(implementation, checkingNode(entry, files.get(implementation)))
  files.set(`${entry}.js`, js)
  if (files.has(`${entry}.d.cts`)) files.set(`${entry}.d.ts`, declarations)
}

for (const [path, text] of files) {
  mkdirSync(dirname(join(root, 'dist', path)), { recursive: true })
  writeFileSync(join(root, 'dist', path), text)
}
// Files of earlier builds are deleted last, so that a broker that runs from dist does not miss a file that is still in
// use.
for (const entry of readdirSync(join(root, 'dist'), { recursive: true, withFileTypes: true })) {
  const path = join(entry.parentPath, entry.name)
  if (entry.isFile() && !files.has(relative(join(root, 'dist'), path).replaceAll('\\', '/'))) rmSync(path)
}

writeFileSync(join(root, 'THIRD-PARTY-LICENSES'), thirdPartyLicenses(root, metafile, WASM_PACKAGES))

/** The implementation of an entry point. On an older Node it throws one sentence before it loads anything else. */
function checkingNode(entry, text) {
  const up = '../'.repeat(entry.split('/').length)
  return text.replace(STRICT, `${STRICT} require("${up}bin/node-version.js");`)
}

/**
 * The ES module of an entry point, or its declarations. It re-exports the implementation, so a process that imports and
 * requires the package has each class and each type once. An implementation that exports `connect` gets the test runner
 * that the entry point is named after, because CommonJS cannot load vitest. vitest 3 cannot be imported in its main
 * process, where only the global setup runs.
 */
function esModule(entry, names) {
  const base = `'./${entry.split('/').at(-1)}.cjs'`
  const named = names.filter(name => name !== 'default' && name !== CONNECT).join(', ')
  const lines = [named && `export { ${named} } from ${base}`]
  const declarations = [`export * from ${base}`]
  if (names.includes('default')) {
    lines.push(`import implementation from ${base}`, 'export default implementation.default')
    // The type of a default import depends on the module resolution; a type query has the same type in all of them.
    const type = `(typeof import(${base}))['default']`
    declarations.push(`declare const implementation: ${type}`, 'export default implementation')
  }
  if (names.includes(CONNECT)) {
    const runner = `await import('${entry}').catch(() => undefined)`
    lines.push(`import { ${CONNECT} } from ${base}`, `${CONNECT}(${runner})`)
  }
  return { js: textOf(lines), declarations: textOf(declarations) }
}

function textOf(lines) {
  return lines
    .filter(Boolean)
    .map(line => `${line}\n`)
    .join('')
}
