/** Ids for members: who it is, in the client's own words, and a random UUID as Java writes one. */
import type { Random } from '../../runtime/random.ts'

/** An id for a member that has none: of a static member after its instance, else after its client. */
export function newMemberId(groupInstanceId: string | null, clientId: string, random: Random): string {
  return `${groupInstanceId ?? clientId}-${javaUuid(random)}`
}

function javaUuid(random: Random): string {
  const bytes = random.bytes(16)
  bytes.writeUInt8((bytes.readUInt8(6) & 0x0f) | 0x40, 6)
  bytes.writeUInt8((bytes.readUInt8(8) & 0x3f) | 0x80, 8)
  return bytes.toString('hex').replace(/(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-')
}
