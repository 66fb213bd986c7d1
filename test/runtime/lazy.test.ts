import { expect, test } from 'vitest'
import { lazy, lazyModule } from '../../src/runtime/lazy.ts'

test('a lazy value is created at its first use, and kept', () => {
  let made = 0
  const value = lazy(() => ++made)
  expect(made).toBe(0)
  expect([value(), value()]).toEqual([1, 1])
})

test('a package that is not installed is replaced, and one line reports the reason', () => {
  const reasons: string[] = []
  const replaced = lazyModule<string>('no-such-package', reason => {
    reasons.push(reason)
    return 'a replacement'
  })
  expect([replaced(), replaced()]).toEqual(['a replacement', 'a replacement'])
  expect(reasons).toEqual([expect.stringMatching(/^Error: Cannot find module 'no-such-package'[^\n]*$/)])
})
