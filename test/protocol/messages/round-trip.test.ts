/** Every API at every version: what is written can be read, and what was read is written alike. */
import { describe, expect, it } from 'vitest'
import { BODIES } from './every-version.ts'

const MESSAGES_A_BODY = 12

describe.each(BODIES)('$title', ({ message, version, generate }) => {
  it('reads back what it wrote, and writes what it read', () => {
    for (let count = 0; count < MESSAGES_A_BODY; count++) {
      const value = generate()
      const encoded = message.encode(value, version)
      const decoded = message.decode(encoded, version)
      expect(decoded).toEqual(value)
      expect(message.encode(decoded, version).equals(encoded)).toBe(true)
    }
  })
})
