/** A member of a simulated classic group, with the partitions that it is assigned and commits offsets for. */
import { expect } from 'vitest'
import type { Protocol } from '../../../src/group/classic/group.ts'
import type { JoinGroupResult } from '../../../src/group/effects.ts'
import type { ErrorName } from '../../../src/protocol/errors.ts'
import { type Character, RandomMember, REFUSED, START_ANEW } from '../random-member.ts'
import type { ClassicGroupModel } from './classic-group-model.ts'

export const PARTITIONS = 12
export const TOPIC = { name: 'foo', topicId: 'AAECAwQFBgcICQoLDA0ODw' }

interface ClientCharacter extends Character {
  readonly apiVersion: number
  readonly protocols: readonly Protocol[]
}

export class Client extends RandomMember<ClientCharacter> {
  partitions: readonly number[] = []
  readonly #model: ClassicGroupModel

  constructor(model: ClassicGroupModel, character: ClientCharacter) {
    super(model.simulation, character)
    this.#model = model
  }

  /** The identity of the member in the group: a static member keeps it when it restarts. */
  get owner(): string {
    return this.character.groupInstanceId ?? this.memberId
  }

  /** Commits an offset for one of its partitions. */
  async commit(offset: bigint): Promise<void> {
    const [partitionIndex] = this.partitions
    if (this.phase !== 'member' || partitionIndex === undefined) return
    const partition = { partitionIndex, committedOffset: offset, committedLeaderEpoch: -1, committedMetadata: null }
    const topics = [{ ...TOPIC, partitions: [partition] }]
    const request = { ...this.claim(), apiVersion: 9, retentionTimeMs: -1n, topics }
    const [result] = await this.simulation.awaited('commit', this.simulation.coordinator.offsets.commit(request))
    const errorCode = result?.partitions[0]?.errorCode ?? 'NONE'
    if (errorCode === 'NONE') this.#model.committed(partitionIndex, offset)
    else this.isFine(errorCode)
  }

  protected override bringing() {
    const { apiVersion, protocols } = this.character
    return { apiVersion, protocols }
  }

  protected override assign(joined: JoinGroupResult) {
    return assign(joined)
  }

  protected override assigned(assignment: Buffer): void {
    this.partitions = partitionsOf(assignment, this.generationId)
    this.#model.owns(this, this.partitions)
  }

  protected override fail(errorCode: ErrorName): void {
    this.phase = REFUSED.includes(errorCode) ? 'dead' : 'away'
    if (START_ANEW.includes(errorCode)) this.memberId = ''
  }
}

/** The leader's assignment: all partitions to all members, round robin. It contains the generation, which members check. */
function assign({ members, generationId }: JoinGroupResult) {
  const sorted = members.toSorted((a, b) => (a.memberId < b.memberId ? -1 : 1))
  return sorted.map(({ memberId }, index) => {
    const mine = Array.from({ length: PARTITIONS }, (_, partition) => partition).filter(
      partition => partition % sorted.length === index
    )
    return { memberId, assignment: Buffer.from([generationId >> 8, generationId & 255, ...mine]) }
  })
}

/** The partitions of an assignment, which must be of that generation. */
export function partitionsOf(assignment: Buffer, generationId: number): readonly number[] {
  expect(assignment.readUInt16BE(0)).toBe(generationId)
  return [...assignment.subarray(2)]
}
