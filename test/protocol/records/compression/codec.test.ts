import { expect, test } from 'vitest'
import { nativeLibrary } from '../../../../src/protocol/records/compression/codec.ts'
import { missingCodecs } from '../../../../src/protocol/records/compression/codecs.ts'

const MACHINE = `${process.platform}-${process.arch}`

test('a codec whose package cannot be loaded throws an error that names the package to install', () => {
  expect(nativeLibrary('lz4', 'no-such-package').load).toThrow(
    expect.objectContaining({
      code: 'UNSUPPORTED_COMPRESSION_TYPE',
      message: expect.stringMatching(
        /^lz4 needs the package no-such-package, which cannot be used here \(npm install no-such-package\): Error: Cannot find module 'no-such-package'$/
      )
    })
  )
})

test('a codec whose package is not installed is reported missing without a load', () => {
  expect(nativeLibrary('lz4', 'no-such-package').missing()?.message).toBe(
    'lz4 needs the package no-such-package, which cannot be used here (npm install no-such-package): ' +
      `its binary for ${MACHINE} is not installed`
  )
  expect(missingCodecs()).toEqual([])
})
