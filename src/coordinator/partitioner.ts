/** Which partition of its topic a group or a transactional id lives in: Java's hash of it, so that Kafka would look there too. */

/** The partition, of `partitionCount`, that holds the records of a key. */
export function partitionFor(key: string, partitionCount: number): number {
  const hash = javaHash(key)
  // Math.abs has no int32 for -2^31; Kafka takes 0.
  return hash === -2_147_483_648 ? 0 : Math.abs(hash) % partitionCount
}

/** Java's `String.hashCode`: over UTF-16 code units, wrapping at 32 bits. */
function javaHash(text: string): number {
  let hash = 0
  for (let index = 0; index < text.length; index++) hash = (Math.imul(31, hash) + text.charCodeAt(index)) | 0
  return hash
}
