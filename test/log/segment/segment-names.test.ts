import { expect, test } from 'vitest'
import { baseOffsetOf, parseSegmentFile, segmentPath } from '../../../src/log/segment/segment-names.ts'

test('file names contain base offset, kind and suffix', () => {
  expect(segmentPath('t-0', 42n, 'timeindex', '.swap')).toBe('t-0/00000000000000000042.timeindex.swap')
  expect(parseSegmentFile('00000000000000000042.timeindex.swap')).toEqual({
    baseOffset: 42n,
    suffix: 'timeindex',
    stage: '.swap'
  })
  expect(baseOffsetOf('09223372036854775807.log')).toBe(2n ** 63n - 1n)
})

test.each(['5.log', '00000000000000000005.txt', '09223372036854775808.log', '99999999999999999999.log', 'notes.txt'])(
  '%s is not a file of a segment',
  name => {
    expect(baseOffsetOf(name)).toBeUndefined()
    expect(parseSegmentFile(name)).toBeUndefined()
  }
)
