/**
 * What consumers tell their leader about themselves, as far as a coordinator needs it: the topics. Every version of
 * the consumer protocol begins with the fields of the first, so newer ones need not be known.
 */
import { ByteReader, MalformedFrame } from '../../protocol/bytes.ts'
import { message } from '../../protocol/compile.ts'
import { array, bytes, int16, string } from '../../protocol/schema.ts'

const subscription = message({ version: int16, topics: array(string), userData: bytes.nullableSince(0) })

/** The subscribed topics of one member, or null when the bytes are not the consumer protocol's. */
export function subscribedTopicsOf(metadata: Buffer): readonly string[] | null {
  try {
    return subscription.read(new ByteReader(metadata), 0).topics
  } catch (error) {
    if (error instanceof MalformedFrame) return null
    throw error
  }
}
