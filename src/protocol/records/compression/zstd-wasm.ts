/**
 * libzstd as WebAssembly, instantiated synchronously. The modules are those of the packages zstddec and @bokuweb/zstd-wasm; the
 * build puts them into dist/zstd-wasm.json.
 */
import { createRequire } from 'node:module'
import { lazy } from '../../../runtime/lazy.ts'
import type { ZstdDecoder, ZstdEncoder, ZstdLibrary } from './zstd-library.ts'

/** The used part of the global `WebAssembly`, which the types of Node do not have. */
declare const WebAssembly: {
  Module: {
    new (bytes: Buffer): object
    imports(module: object): { readonly module: string; readonly name: string }[]
  }
  Instance: new (module: object, imports: object) => { readonly exports: unknown }
}

interface Memory {
  readonly buffer: ArrayBuffer
  grow(pages: number): number
}

interface DecoderExports {
  readonly memory: Memory
  malloc(bytes: number): number
  ZSTD_createDCtx(): number
  ZSTD_freeDCtx(context: number): number
  ZSTD_decompressStream(context: number, output: number, input: number): number
}

interface EncoderExports {
  readonly memory: Memory
  start(): void
  malloc(bytes: number): number
  free(pointer: number): void
  ZSTD_createCCtx(): number
  ZSTD_compressBound(bytes: number): number
  ZSTD_compress_usingDict(
    context: number,
    ...outputInputAndDictionary: [number, number, number, number, number, number, level: number]
  ): number
}

/**
 * Content of dist/zstd-wasm.json: the modules in base64. `names` maps the names of libzstd to the shortened names
 * in the encoder module.
 */
interface Modules {
  readonly decoder: string
  readonly encoder: string
  readonly names: Readonly<Record<keyof EncoderExports | 'resizeHeap', string>>
}

const PAGE_BYTES = 65_536
/** Largest result of libzstd that is not an error code. */
const LARGEST_RESULT = 2 ** 32 - 120
/** Largest input and output of a call, in bytes. */
const INPUT_BYTES = 131_075
const OUTPUT_BYTES = 131_072
/** Size of ZSTD_outBuffer and ZSTD_inBuffer: pointer, size and position, 4 bytes each. */
const BUFFER_FIELDS_BYTES = 12
/** Memory size above which an encoder is not reused, because the memory of a WebAssembly instance never shrinks. */
const REUSED_UP_TO_BYTES = 64 * 1024 * 1024

const modules = lazy(() => createRequire(import.meta.filename)('#zstd-wasm') as Modules)
const decoderModule = lazy(() => new WebAssembly.Module(Buffer.from(modules().decoder, 'base64')))
const encoderModule = lazy(() => new WebAssembly.Module(Buffer.from(modules().encoder, 'base64')))

/** Loads the modules. Throws if they cannot be loaded. */
export function wasmLibrary(): ZstdLibrary {
  decoderModule()
  return { newDecoder, newEncoder }
}

/** Each decoder has its own memory, which is garbage-collected with it if the caller abandons an iteration. */
function newDecoder(): ZstdDecoder {
  const imports = { env: { emscripten_notify_memory_growth: () => {} } }
  const zstd = new WebAssembly.Instance(decoderModule(), imports).exports as DecoderExports
  const heap = heapOf(zstd.memory)
  const output = zstd.malloc(OUTPUT_BYTES)
  const input = zstd.malloc(INPUT_BYTES)
  const outBuffer = zstd.malloc(2 * BUFFER_FIELDS_BYTES)
  const inBuffer = outBuffer + BUFFER_FIELDS_BYTES
  let context = zstd.ZSTD_createDCtx()
  return {
    decompressStream(into, bytes) {
      const given = bytes.copy(heap(), input, 0, INPUT_BYTES)
      writeFields(heap(), outBuffer, output, Math.min(into.length, OUTPUT_BYTES))
      writeFields(heap(), inBuffer, input, given)
      const expectedBytes = checkedResult(zstd.ZSTD_decompressStream(context, outBuffer, inBuffer))
      const produced = positionOf(heap(), outBuffer)
      heap().copy(into, 0, output, output + produced)
      return [expectedBytes, produced, positionOf(heap(), inBuffer)]
    },
    reset() {
      zstd.ZSTD_freeDCtx(context)
      context = zstd.ZSTD_createDCtx()
    }
  }
}

/** The instance is not reused after an error, which may leave memory allocated, nor after a very large input. */
function newEncoder(): ZstdEncoder {
  let reused: { readonly zstd: EncoderExports; readonly context: number } | undefined
  return {
    compress(bytes, level) {
      const { zstd, context } = reused ?? newEncoderInstance()
      reused = undefined
      const capacity = zstd.ZSTD_compressBound(bytes.length)
      const input = allocated(zstd, bytes.length)
      const output = allocated(zstd, capacity)
      bytes.copy(Buffer.from(zstd.memory.buffer), input)
      const length = checkedResult(
        zstd.ZSTD_compress_usingDict(context, output, capacity, input, bytes.length, 0, 0, level)
      )
      const frame = Buffer.from(Buffer.from(zstd.memory.buffer, output, length))
      zstd.free(input)
      zstd.free(output)
      if (zstd.memory.buffer.byteLength <= REUSED_UP_TO_BYTES) reused = { zstd, context }
      return frame
    }
  }
}

function newEncoderInstance(): { zstd: EncoderExports; context: number } {
  const { names } = modules()
  const imports: Record<string, Record<string, unknown>> = {}
  for (const { module, name } of WebAssembly.Module.imports(encoderModule())) {
    imports[module] = { ...imports[module], [name]: name === names.resizeHeap ? resizeHeap : refuse }
  }
  const exported = new WebAssembly.Instance(encoderModule(), imports).exports as Record<string, unknown>
  const zstd = Object.fromEntries(
    Object.entries(names).map(([name, shortened]) => [name, exported[shortened]])
  ) as unknown as EncoderExports
  zstd.start()
  return { zstd, context: zstd.ZSTD_createCCtx() }

  function resizeHeap(bytes: number): number {
    try {
      zstd.memory.grow(Math.ceil((bytes - zstd.memory.buffer.byteLength) / PAGE_BYTES))
      return 1
    } catch {
      return 0
    }
  }
}

function refuse(): never {
  throw new Error('zstd called a function of its environment, which has none')
}

function allocated(zstd: EncoderExports, bytes: number): number {
  const pointer = zstd.malloc(Math.max(bytes, 1))
  if (pointer === 0) throw new Error(`zstd cannot allocate ${bytes} bytes`)
  return pointer
}

/** A view of the whole memory. A memory that has grown has a new buffer. */
function heapOf(memory: Memory): () => Buffer {
  let heap = Buffer.alloc(0)
  return () => {
    if (heap.buffer !== memory.buffer) heap = Buffer.from(memory.buffer)
    return heap
  }
}

function writeFields(heap: Buffer, buffer: number, pointer: number, size: number): void {
  heap.writeUInt32LE(pointer, buffer)
  heap.writeUInt32LE(size, buffer + 4)
  heap.writeUInt32LE(0, buffer + 8)
}

function positionOf(heap: Buffer, buffer: number): number {
  return heap.readUInt32LE(buffer + 8)
}

/** The result of a libzstd call, unsigned. Throws if it is an error code. */
function checkedResult(result: number): number {
  const unsigned = result >>> 0
  if (unsigned > LARGEST_RESULT) throw new Error(`error ${2 ** 32 - unsigned} of zstd`)
  return unsigned
}
