/** `npm run bench`: bundles main.ts, which also measures parts that the built package does not show, and runs it. */
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { build } from 'esbuild'

const here = fileURLToPath(new URL('.', import.meta.url))
// Where packages that stay outside of the bundle are found.
const outfile = join(here, '../../node_modules/.cache/minikafka-bench/main.mjs')
await build({
  entryPoints: [join(here, 'main.ts')],
  outfile,
  bundle: true,
  platform: 'node',
  format: 'esm',
  packages: 'external',
  logLevel: 'warning'
})
await import(pathToFileURL(outfile).href)
