import { expect, test } from 'vitest'
import {
  MissingCodecError,
  missingCodecNotice,
  withoutPackage
} from '../../../../src/protocol/records/compression/codec.ts'
import { lazyModule } from '../../../../src/runtime/lazy.ts'
import { silentLogger } from '../../../../src/runtime/logger.ts'

test('a codec whose package has no binary here tells clients so, and what to install', () => {
  const codec = lazyModule<never>('no-such-codec', withoutPackage('no-such-codec'))
  expect(codec).toThrow(
    expect.objectContaining({
      code: 'UNSUPPORTED_COMPRESSION_TYPE',
      message: expect.stringContaining('npm install no-such-codec')
    })
  )
})

test('each missing codec is told of once', () => {
  const lines: string[] = []
  const notice = missingCodecNotice({ ...silentLogger, warn: (_, line) => lines.push(line) })
  notice(new Error('something else'))
  notice(new MissingCodecError('install it'))
  notice(new MissingCodecError('install it'))
  notice(new MissingCodecError('install that'))
  expect(lines).toEqual(['install it', 'install that'])
})
