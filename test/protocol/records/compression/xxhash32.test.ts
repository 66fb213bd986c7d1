import { expect, test } from 'vitest'
import { xxhash32 } from '../../../../src/protocol/records/compression/lz4.ts'

test.each([
  ['', 0x02cc5d05],
  ['a', 0x550d7456],
  ['abc', 0x32d153ff],
  ['Nobody inspects the spammish repetition', 0xe2293b2f]
])('the published hash of %o', (text, hash) => {
  expect(xxhash32(Buffer.from(text))).toBe(hash)
})
