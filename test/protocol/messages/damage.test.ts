/** Every API at every version: cut or changed bytes give MalformedFrame or a value, and no other error. */
import { describe, expect, it } from 'vitest'
import { MalformedFrame } from '../../../src/protocol/wire/bytes.ts'
import { BODIES, type Body } from './every-version.ts'

/** Long values only add positions to damage; shorter ones reveal the same faults. */
const LONGEST_FRAME_BYTES = 600

function shortFrame({ message, version, generate }: Body): Buffer {
  for (;;) {
    const frame = message.encode(generate(), version)
    if (frame.length <= LONGEST_FRAME_BYTES) return frame
  }
}

/** The decoded value, or undefined for a frame that is refused as malformed. */
function decodeOrRefuse({ message, version }: Body, frame: Buffer): unknown {
  try {
    return message.decode(frame, version)
  } catch (error) {
    if (error instanceof MalformedFrame) return undefined
    throw error
  }
}

/** The number of array elements plus the number of bytes in byte strings of a decoded message. */
function countElements(value: unknown): number {
  if (Buffer.isBuffer(value)) return value.length
  if (typeof value !== 'object' || value === null) return 0
  const inner = Object.values(value).reduce((sum: number, each) => sum + countElements(each), 0)
  return Array.isArray(value) ? inner + value.length : inner
}

describe.each(BODIES)('$title', body => {
  it('is refused at every cut', () => {
    const frame = shortFrame(body)
    for (let length = 0; length < frame.length; length++) {
      const value = decodeOrRefuse(body, frame.subarray(0, length))
      if (value !== undefined) expect.fail(`a frame of ${frame.length} bytes was read when cut to ${length}`)
    }
  })

  it('is refused with an extra byte', () => {
    const frame = Buffer.concat([shortFrame(body), Buffer.of(0)])
    expect(() => body.message.decode(frame, body.version)).toThrow(/follow the last field/)
  })

  it('with any changed byte is refused or read, and never holds more than the frame', () => {
    const frame = shortFrame(body)
    for (let position = 0; position < frame.length; position++) {
      for (const byte of [0x00, 0x7f, 0x80, 0xff, frame.readUInt8(position) ^ (1 << body.random.below(8))]) {
        const damaged = Buffer.from(frame)
        damaged.writeUInt8(byte, position)
        const count = countElements(decodeOrRefuse(body, damaged))
        if (count > frame.length) expect.fail(`${count} values out of ${frame.length} bytes`)
      }
    }
  })
})

describe('noise', () => {
  it.each(BODIES)('as a $title is refused or read', body => {
    for (let count = 0; count < 50; count++) decodeOrRefuse(body, body.random.bytes(1 + body.random.below(200)))
  })
})
