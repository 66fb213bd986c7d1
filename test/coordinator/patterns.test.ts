import { describe, expect, it } from 'vitest'
import { compilePattern } from '../../src/coordinator/patterns.ts'

const refused = (expression: string) => {
  try {
    compilePattern(expression)
  } catch (error) {
    return error
  }
  return undefined
}

describe('regular expressions of subscriptions', () => {
  it('a pattern matches a whole text and not a part of a text', () => {
    const pattern = compilePattern('foo|ba.')
    expect(['foo', 'bar', 'foobar', 'xfoo', ''].filter(text => pattern.matches(text))).toEqual(['foo', 'bar'])
  })

  it.each([
    '[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}',
    '([a-z0-9]{1,63}\\.){1,8}[a-z]{2,}',
    '[a-z]{1,249}',
    '(?i)orders-\\d{4}',
    '\\Q{5}\\E',
    Array.from({ length: 400 }, (_, index) => `a-topic-with-number-${index}`).join('|')
  ])('the pattern %.30s is accepted', expression => {
    expect(refused(expression)).toBeUndefined()
  })

  it.each(['[', '(', 'a**', '(?=a)', '\\1', 'a{1001}', '((a{100}){100}){100}'])(
    'the pattern %s gets INVALID_REGULAR_EXPRESSION',
    expression => {
      expect(refused(expression)).toMatchObject({ code: 'INVALID_REGULAR_EXPRESSION' })
    }
  )

  it.each([
    '(a?){1000}'.repeat(100),
    '(a?){1000}(a?){1000}',
    '((a{10}){10}){10}'.repeat(10),
    '(a{0}){1000}'.repeat(9),
    '\\pL{1000}'.repeat(20),
    'a?'.repeat(16_000),
    '('.repeat(16_000)
  ])('the pattern %.30s gets INVALID_REGULAR_EXPRESSION before its compilation because of its size', expression => {
    const error = refused(expression)
    expect(error).toMatchObject({ code: 'INVALID_REGULAR_EXPRESSION' })
    expect(`${error}`.length).toBeLessThan(200)
  })
})
