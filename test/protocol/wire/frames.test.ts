import { describe, expect, it } from 'vitest'
import { FrameDecoder, InvalidFrameSize } from '../../../src/protocol/wire/frames.ts'
import { seededRandom } from '../../../src/runtime/random.ts'

const LIMIT = 1000

function framed(body: Buffer | string): Buffer {
  const bytes = Buffer.from(body)
  const size = Buffer.alloc(4)
  size.writeInt32BE(bytes.length)
  return Buffer.concat([size, bytes])
}

function framesOf(decoder: FrameDecoder): string[] {
  const frames: string[] = []
  for (let frame = decoder.next(); frame !== undefined; frame = decoder.next()) frames.push(frame.toString('latin1'))
  return frames
}

describe('FrameDecoder', () => {
  it('returns a frame within one chunk as a view on the chunk', () => {
    const decoder = new FrameDecoder(LIMIT)
    const chunk = framed('hello')
    decoder.push(chunk)
    const frame = decoder.next()
    expect(frame?.toString()).toBe('hello')
    chunk.write('HELLO', 4)
    expect(frame?.toString()).toBe('HELLO')
    expect(decoder.atBoundary).toBe(true)
  })

  it('finds the same frames at every cut of the stream', () => {
    const random = seededRandom(7)
    const bodies = ['', 'a', 'bc'.repeat(300), '', 'x'.repeat(LIMIT), 'end'].map(body => Buffer.from(body))
    const stream = Buffer.concat(bodies.map(framed))
    for (let round = 0; round < 300; round++) {
      const decoder = new FrameDecoder(LIMIT)
      const found: string[] = []
      const longest = 1 + random.below(round % 2 === 0 ? 7 : 700)
      for (let position = 0; position < stream.length; ) {
        const length = 1 + random.below(longest)
        decoder.push(stream.subarray(position, position + length))
        position += length
        if (random.below(3) > 0) found.push(...framesOf(decoder))
      }
      found.push(...framesOf(decoder))
      expect(found).toEqual(bodies.map(body => body.toString('latin1')))
      expect(decoder.atBoundary).toBe(true)
      expect(decoder.heldBytes).toBe(0)
    }
  })

  it('reports a started frame from the first byte of the size', () => {
    const decoder = new FrameDecoder(LIMIT)
    for (const byte of framed('abc').subarray(0, -1)) {
      decoder.push(Buffer.from([byte]))
      expect(decoder.next()).toBeUndefined()
      expect(decoder.atBoundary).toBe(false)
    }
    decoder.push(Buffer.from('c'))
    expect(decoder.next()?.toString()).toBe('abc')
    expect(decoder.atBoundary).toBe(true)
  })

  it('accepts an empty frame, which SASL authentication may send', () => {
    const decoder = new FrameDecoder(LIMIT)
    decoder.push(framed(''))
    expect(decoder.next()).toHaveLength(0)
    expect(decoder.next()).toBeUndefined()
  })

  it('refuses a size above the limit before the frame arrives', () => {
    const decoder = new FrameDecoder(LIMIT)
    decoder.push(Buffer.from('GET '))
    expect(() => decoder.next()).toThrow(InvalidFrameSize)
    decoder.push(Buffer.from('/'))
    expect(() => decoder.next()).toThrow(/1195725856 bytes is above socket.request.max.bytes, which is 1000/)
  })

  it('refuses a negative size', () => {
    const decoder = new FrameDecoder(LIMIT)
    decoder.push(Buffer.from([0xff, 0xff, 0xff, 0xff]))
    expect(() => decoder.next()).toThrow('the request size -1 is negative')
  })

  it('accepts a frame with the size of the limit', () => {
    const decoder = new FrameDecoder(LIMIT)
    decoder.push(framed('y'.repeat(LIMIT)))
    expect(decoder.next()).toHaveLength(LIMIT)
  })

  it('allocates memory for received bytes, not for the declared size', () => {
    const decoder = new FrameDecoder(100_000_000)
    const claim = Buffer.alloc(5)
    claim.writeInt32BE(100_000_000)
    decoder.push(claim)
    expect(decoder.next()).toBeUndefined()
    expect(decoder.heldBytes).toBeLessThan(100)
    decoder.push(Buffer.alloc(65_536))
    expect(decoder.next()).toBeUndefined()
    expect(decoder.heldBytes).toBeLessThan(5 * 65_536)
  })
})
