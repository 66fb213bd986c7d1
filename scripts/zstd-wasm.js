/**
 * Extracts libzstd, compiled to WebAssembly, from its packages into dist/zstd-wasm.json: the packages load it
 * asynchronously, and the append path of the broker is synchronous.
 */
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'

const require = createRequire(import.meta.url)

/** The packages, for the licenses. Only the WebAssembly of the second is used, which contains Zstandard alone. */
export const WASM_PACKAGES = {
  zstddec: undefined,
  '@bokuweb/zstd-wasm': 'Its WebAssembly module, which is Zstandard alone: the BSD license under zstddec.'
}

/**
 * Both modules in base64. Emscripten shortens the export names of the encoder; `names` maps the names of libzstd to
 * them.
 */
export function zstdWasm() {
  const folder = join(require.resolve('@bokuweb/zstd-wasm'), '..')
  const glue = readFileSync(join(folder, 'zstd.js'), 'utf8')
  const exported = [...glue.matchAll(/Module\['_(\w+)'\] = wasmExports\['(\w+)'\]/g)]
  const names = {
    ...Object.fromEntries(exported.map(([, name, short]) => [name, short])),
    memory: only(glue, /wasmMemory = wasmExports\['(\w+)'\]/),
    start: only(glue, /addOnInit\(wasmExports\['(\w+)'\]\)/),
    resizeHeap: only(glue, /(\w+): _emscripten_resize_heap\b/)
  }
  return {
    decoder: only(readFileSync(require.resolve('zstddec/stream'), 'utf8'), /\bwasm = ["'`]([A-Za-z0-9+/=]+)["'`]/),
    encoder: readFileSync(join(folder, 'zstd.wasm')).toString('base64'),
    names
  }
}

function only(text, pattern) {
  const [match, ...others] = text.matchAll(new RegExp(pattern, 'g'))
  if (match === undefined || others.length > 0) throw new Error(`the package of zstd has changed: ${pattern}`)
  return match[1]
}
