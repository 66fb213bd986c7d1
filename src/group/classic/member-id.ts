/** Ids for members: who it is, in the client's own words, and a random UUID as Java writes one. */
import { type Random, randomUuidBytes } from '../../runtime/random.ts'

/** An id for a member that has none: of a static member after its instance, else after its client. */
export function newMemberId(groupInstanceId: string | null, clientId: string, random: Random): string {
  const uuid = randomUuidBytes(random)
    .toString('hex')
    .replace(/(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-')
  return `${groupInstanceId ?? clientId}-${uuid}`
}
