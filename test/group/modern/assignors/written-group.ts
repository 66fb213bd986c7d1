// Groups written by hand. Topics T1, T2, ... and members A, B, ... have that order in Kafka's hash sets.
import type { Assignment, Assignor, MemberSpec } from '../../../../src/group/modern/assignors/assignor.ts'

/** Partitions by topic name. */
export type Partitions = Readonly<Record<string, readonly number[]>>

/** A member; by default it is subscribed to all topics and has no partitions. */
export interface WrittenMember {
  readonly wants?: readonly string[]
  readonly has?: Partitions
  readonly instanceId?: string
}

/** The assignment of topics with these numbers of partitions. */
export function assign(
  assignor: Assignor,
  topics: Readonly<Record<string, number>>,
  members: Readonly<Record<string, WrittenMember>>
): Record<string, Partitions> {
  const all = Object.keys(topics)
  const specs = Object.entries(members).map(([memberId, member]) => [memberId, specOf(member, all)] as const)
  const isHomogeneous = Object.values(members).every(({ wants = all }) => wants.join() === all.join())
  const partitionCount = (topicId: string) => topics[topicName(topicId)]
  const assigned = assignor.assign({ members: new Map(specs), isHomogeneous }, { partitionCount })
  return Object.fromEntries(Array.from(assigned, ([memberId, partitions]) => [memberId, written(partitions)]))
}

function specOf({ wants, has = {}, instanceId }: WrittenMember, all: readonly string[]): MemberSpec {
  const subscribedTopicIds = new Set((wants ?? all).map(topicId))
  const assigned = Object.entries(has).map(([name, partitions]) => [topicId(name), new Set(partitions)] as const)
  return { instanceId: instanceId ?? null, subscribedTopicIds, assigned: new Map(assigned) }
}

function written(assigned: Assignment): Partitions {
  return Object.fromEntries(Array.from(assigned, ([topicId, partitions]) => [topicName(topicId), [...partitions]]))
}

function topicId(name: string): string {
  const bytes = Buffer.alloc(16)
  bytes.writeUInt8(Number(name.slice(1)), 15)
  return bytes.toString('base64url')
}

function topicName(topicId: string): string {
  return `T${Buffer.from(topicId, 'base64url').readUInt8(15)}`
}
