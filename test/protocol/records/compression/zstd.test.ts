// The contract for every present library of zstd. The interop suite runs the libraries of newer Node versions.
import { expect, test } from 'vitest'
import { MissingCodecError } from '../../../../src/protocol/records/compression/codec.ts'
import { ZSTD_LIBRARIES, zstdCodec } from '../../../../src/protocol/records/compression/zstd.ts'
import { nodeLibrary } from '../../../../src/protocol/records/compression/zstd-native.ts'
import { zstdContract } from './zstd-contract.ts'

const absent = (): never => {
  throw new Error("Cannot find module 'zstd-napi'\nRequire stack: none")
}

for (const [name, load] of Object.entries(ZSTD_LIBRARIES)) {
  if (isPresent(load)) zstdContract(`zstd by ${name}`, zstdCodec([load, ZSTD_LIBRARIES.WebAssembly]))
}

test('the WebAssembly library of zstd is present on every Node', () => {
  expect(isPresent(ZSTD_LIBRARIES.WebAssembly)).toBe(true)
})

test('a zstd library that only compresses leaves decompression to the next library', () => {
  const node = nodeLibrary({
    gunzipSync: undefined,
    zstdCompressSync: (bytes, { params }) => Buffer.from(`${params[100]}:${bytes}`)
  })
  const codec = zstdCodec([absent, () => node, ZSTD_LIBRARIES.WebAssembly])
  expect(String(Buffer.concat([...codec.compress(Buffer.from('records'), undefined)]))).toBe('3:records')
  const frame = Buffer.concat([...zstdCodec([ZSTD_LIBRARIES.WebAssembly]).compress(Buffer.from('records'), 5)])
  expect(String(Buffer.concat([...codec.decompress(frame, 100)]))).toBe('records')
})

test('zstd without any library throws an error that names the package to install', () => {
  const codec = zstdCodec([absent, () => nodeLibrary({ gunzipSync: undefined })])
  for (const use of [
    () => codec.compress(Buffer.alloc(1), undefined),
    () => [...codec.decompress(Buffer.alloc(1), 1)]
  ]) {
    expect(use).toThrow(MissingCodecError)
    expect(use).toThrow(/npm install zstd-napi.*Cannot find module 'zstd-napi'; .*22\.15/)
  }
})

function isPresent(load: () => unknown): boolean {
  try {
    load()
    return true
  } catch {
    return false
  }
}
