/** `npm run bench`: bundles main.ts, which also measures modules that the package does not export, and runs it. */
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { build } from 'esbuild'

const here = fileURLToPath(new URL('.', import.meta.url))
// External packages resolve from this folder.
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
