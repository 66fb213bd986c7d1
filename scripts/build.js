/**
 * Bundles src into dist: two entry points that share chunks, split so that heavy modules load on first use.
 * `node scripts/build.js --types` also writes the public API's type declarations. With MINIKAFKA_DIST=built it does nothing:
 * dist is current, and brokers may run from it.
 */
import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

if (process.env.MINIKAFKA_DIST === 'built') process.exit()

const root = fileURLToPath(new URL('..', import.meta.url))

// Native packages find their binaries beside their own files, and dist must load without them.
const NATIVE = ['@node-rs/crc32', '@node-rs/xxhash', 'lz4-napi', 'snappy', 'zstd-napi']

// Bundled CommonJS packages ask for `require` and `__dirname`, which modules do not have. The bundler does not see these
// names, so they must be ones that no source of ours declares.
const COMMONJS = `import { createRequire as __requireFrom } from 'node:module'
import { dirname as __directoryOf } from 'node:path'
import { fileURLToPath as __pathOf } from 'node:url'
const require = __requireFrom(import.meta.url)
const __filename = __pathOf(import.meta.url)
const __dirname = __directoryOf(__filename)`

const { metafile } = await build({
  absWorkingDir: root,
  entryPoints: { index: 'src/index.ts', 'cli/main': 'src/cli/main.ts' },
  outdir: 'dist',
  chunkNames: 'chunks/[name]-[hash]',
  bundle: true,
  splitting: true,
  format: 'esm',
  platform: 'node',
  target: 'node20',
  external: NATIVE,
  banner: { js: COMMONJS },
  sourcemap: 'linked',
  // Stack traces of ours stay readable; the sources themselves are in the repository.
  sourcesContent: false,
  legalComments: 'none',
  logLevel: 'warning',
  metafile: true
})

// Chunks of earlier builds go last, so that a broker running from dist misses nothing that is still the same.
for (const file of readdirSync(`${root}dist`, { recursive: true, encoding: 'utf8' })) {
  const path = `dist/${file.replaceAll('\\', '/')}`
  if (/\.(js|js\.map|d\.ts)$/.test(path) && !(path in metafile.outputs)) rmSync(`${root}${path}`)
}

if (process.argv.includes('--types')) declarePublicTypes()

/** Writes the declarations that index.d.ts leads to; the compiler would give those of all sources. */
function declarePublicTypes() {
  const tsc = join(dirname(createRequire(import.meta.url).resolve('typescript/package.json')), 'bin/tsc')
  const all = mkdtempSync(join(tmpdir(), 'minikafka-types-'))
  try {
    execFileSync(process.execPath, [tsc, '-p', 'tsconfig.types.json', '--outDir', all], { cwd: root, stdio: 'inherit' })
    copyWithImports(all, 'index.d.ts')
  } finally {
    rmSync(all, { recursive: true })
  }
}

function copyWithImports(from, file) {
  const text = readFileSync(join(from, file), 'utf8')
  mkdirSync(dirname(join(root, 'dist', file)), { recursive: true })
  writeFileSync(join(root, 'dist', file), text.replace(/(from '\.[^']+)\.ts'/g, "$1.js'"))
  for (const [, target] of text.matchAll(/from '(\.[^']+)\.ts'/g))
    copyWithImports(from, join(dirname(file), `${target}.d.ts`))
}
