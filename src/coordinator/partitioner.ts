/** Maps a group id or a transactional id to a partition of its state topic, by Java's hash as in Kafka. */

/** The partition out of `partitionCount` that holds the records of a key. */
export function partitionFor(key: string, partitionCount: number): number {
  const hash = javaHash(key)
  // The absolute value of -2^31 is not an int32; Kafka's `Utils.abs` returns 0 for it.
  return hash === -2_147_483_648 ? 0 : Math.abs(hash) % partitionCount
}

/** Java's `String.hashCode`: over UTF-16 code units, wrapping at 32 bits. */
function javaHash(text: string): number {
  let hash = 0
  for (let index = 0; index < text.length; index++) hash = (Math.imul(31, hash) + text.charCodeAt(index)) | 0
  return hash
}
