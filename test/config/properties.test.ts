import { expect, test } from 'vitest'
import { parseProperties } from '../../src/config/sources.ts'

const read = (text: string) => parseProperties(text).map(({ name, value }) => [name, value])

test.each([
  ['a=b', 'a', 'b'],
  ['a:b', 'a', 'b'],
  ['a b', 'a', 'b'],
  ['  a \t = \t b c ', 'a', 'b c '],
  ['a==b', 'a', '=b'],
  ['a', 'a', ''],
  ['a=', 'a', ''],
  ['a\\ b\\=c\\:d=e', 'a b=c:d', 'e'],
  ['a=\\t\\n\\\\\\u0041\\q', 'a', '\t\n\\Aq'],
  ['listeners=PLAINTEXT://:9092', 'listeners', 'PLAINTEXT://:9092'],
  ['a=b # no comment', 'a', 'b # no comment']
])('a line is read as an entry: %j', (text, name, value) => {
  expect(read(text)).toEqual([[name, value]])
})

test('blank lines and comments are not entries', () => {
  expect(read('# a=b\n! c=d\n\n   \n  # e=f')).toEqual([])
})

test('a comment cannot be continued', () => {
  expect(read('# a\\\nb=c')).toEqual([['b', 'c']])
})

test('a backslash at the end continues the line, without the leading blanks of the next line', () => {
  expect(read('a=b,\\\n   c,\\\r\n\td')).toEqual([['a', 'b,c,d']])
})

test('two backslashes at the end are one backslash', () => {
  expect(read('a=b\\\\\nc=d')).toEqual([
    ['a', 'b\\'],
    ['c', 'd']
  ])
})

test('a last line that ends with a backslash ends there', () => {
  expect(read('a=b\\')).toEqual([['a', 'b']])
})

test('every entry has the number of its first line', () => {
  const lines = parseProperties('a=1\r\n# x\rb=2\\\n3\nc=4').map(({ name, line }) => [name, line])
  expect(lines).toEqual([
    ['a', 1],
    ['b', 3],
    ['c', 5]
  ])
})

test('a name given twice is two entries', () => {
  expect(read('a=1\na=2')).toEqual([
    ['a', '1'],
    ['a', '2']
  ])
})
