/** Every API at every version: written bytes can be read, and the value that was read is written as the same bytes. */
import { describe, expect, it } from 'vitest'
import { BODIES } from './every-version.ts'

const MESSAGES_A_BODY = 12

describe.each(BODIES)('$title', ({ message, version, generate }) => {
  it('reads its own bytes and writes the same bytes again', () => {
    for (let count = 0; count < MESSAGES_A_BODY; count++) {
      const value = generate()
      const encoded = message.encode(value, version)
      const decoded = message.decode(encoded, version)
      expect(decoded).toEqual(value)
      expect(message.encode(decoded, version).equals(encoded)).toBe(true)
    }
  })
})
