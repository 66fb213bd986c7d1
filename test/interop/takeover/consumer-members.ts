// Members of a consumer group (KIP-848) that join, settle, continue and commit in the takeover tests. Each request must
// succeed.
import { APIS } from '../../../src/protocol/messages/index.ts'
import type { Session } from '../oracle/session.ts'
import { arrange, type Step } from '../oracle/transcript.ts'
import { type Beat, ConsumerGroup } from '../oracle/transcripts/consumer-group.ts'
import { commits, expecting, succeeding, TIMEOUT_MS } from './group-scenario.ts'

const PATIENCE_MS = 120_000
const PAUSE_MS = 50

/** Members by name, with the fields of each member's heartbeats. */
export type Heartbeats = Readonly<Record<string, Beat>>

export class ConsumerMembers extends ConsumerGroup {
  /** Members join, one after the other. */
  joinAll(members: Heartbeats, more: Beat = {}): Step[] {
    return Object.entries(members).map(([member, own]) =>
      succeeding(this.join(member, 'comes', { timeoutMs: TIMEOUT_MS, ...own, ...more }))
    )
  }

  /** Members leave, permanently unless `more` says otherwise. */
  leaveAll(members: Heartbeats, more: Beat = {}): Step[] {
    return Object.entries(members).map(([member, own]) => succeeding(this.leave(member, 'leaves', { ...own, ...more })))
  }

  /** Members report their assignment until the group is stable with that many assigned partitions. */
  settle(partitions: number, members: Heartbeats): Step {
    const reports = Object.entries(members).map(([member, own]) => succeeding(this.report(member, 'settles', own)))
    return arrange(`${this.id} settles`, async session => {
      for (const deadline = Date.now() + PATIENCE_MS; !(await this.#rests(session, partitions)); ) {
        if (Date.now() > deadline) throw new Error(`${this.id} never came to rest with ${partitions} partitions`)
        await pause(PAUSE_MS)
        for (const report of reports) await report.play(session)
      }
    })
  }

  /** The epoch of each member is unchanged, after a full heartbeat and after one without changes. */
  remain(members: Heartbeats): Step[] {
    return Object.entries(members).flatMap(([member, own]) => [
      this.#unchanged(member, this.report(member, 'is still there', own)),
      this.idle(member, own)
    ])
  }

  /** The epoch is unchanged after a heartbeat without changes. */
  idle(member: string, own: Beat = {}): Step {
    return this.#unchanged(member, this.beat(member, 'has nothing to say', own))
  }

  /** A commit of a member in its epoch plus `distance`. */
  commit(member: string, offset: number, distance = 0): Step {
    return commits(this.id, offset, {
      by: session => ({ memberId: member, generationIdOrMemberEpoch: this.epoch(session, member) + distance }),
      metadata: `by ${member}`,
      ...(distance < 0 && { expected: 'STALE_MEMBER_EPOCH' })
    })
  }

  #unchanged(member: string, step: Step): Step {
    return arrange(step.name, session => {
      const memberEpoch = this.epoch(session, member)
      return expecting(step, { errorCode: 'NONE', memberEpoch }).play(session)
    })
  }

  async #rests(session: Session, partitions: number): Promise<boolean> {
    const answer = await session.sendRequest(APIS.ConsumerGroupDescribe, 1, { groupIds: [this.id] })
    const [group] = typeof answer === 'string' ? [] : answer.groups
    const owned = group?.members.flatMap(({ assignment }) =>
      assignment.topicPartitions.flatMap(assigned => assigned.partitions)
    )
    return group?.groupState === 'Stable' && owned?.length === partitions
  }
}

function pause(ms: number): Promise<void> {
  return new Promise(resolve => setTimeout(resolve, ms))
}
