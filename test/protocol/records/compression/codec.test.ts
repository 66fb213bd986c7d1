import { expect, test } from 'vitest'
import {
  MissingCodecError,
  missingCodecNotice,
  withoutPackage
} from '../../../../src/protocol/records/compression/codec.ts'
import { lazyModule } from '../../../../src/runtime/lazy.ts'
import { RecordingLogger } from '../../../../src/testing/recording-logger.ts'

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
  const logger = new RecordingLogger()
  const notice = missingCodecNotice(logger)
  notice(new Error('something else'))
  notice(new MissingCodecError('install it'))
  notice(new MissingCodecError('install it'))
  notice(new MissingCodecError('install that'))
  expect(logger.messages('warn')).toEqual(['install it', 'install that'])
})
