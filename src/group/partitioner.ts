/** Which partition of __consumer_offsets a group lives in: Java's hash of its id, so that Kafka would look there too. */

/** The partition, of `partitionCount`, that holds a group's records. */
export function partitionFor(groupId: string, partitionCount: number): number {
  const hash = javaHash(groupId)
  // Math.abs has no int32 for -2^31; Kafka takes 0.
  return hash === -2_147_483_648 ? 0 : Math.abs(hash) % partitionCount
}

/** Java's `String.hashCode`: over UTF-16 code units, wrapping at 32 bits. */
function javaHash(text: string): number {
  let hash = 0
  for (let index = 0; index < text.length; index++) hash = (Math.imul(31, hash) + text.charCodeAt(index)) | 0
  return hash
}
