/**
 * The high watermark of a partition: consumers read below it, acks=all waits for it. While no follower is in sync, the leader
 * moves it to the flush limit of its log. Otherwise it does not move, because the log end offsets of followers are not known. The
 * log stores the offset.
 */
import { OffsetWaits } from '../log/partition-log/offset-waits.ts'
import type { PartitionLog } from '../log/partition-log/partition-log.ts'
import type { Role } from './role.ts'

/** A batch above the high watermark. */
interface HiddenBatch {
  readonly nextOffset: bigint
  readonly size: number
}

export class HighWatermark {
  readonly #log: PartitionLog
  readonly #arrived: (bytes: number) => void
  readonly #waits = new OffsetWaits()
  /** In offset order. */
  #hidden: HiddenBatch[] = []
  /** Whether this node leads and no follower is in sync. */
  #isOnlyInSync = false

  /** `arrived` is called with the bytes by which the high watermark advances. */
  constructor(log: PartitionLog, arrived: (bytes: number) => void) {
    this.#log = log
    this.#arrived = arrived
  }

  /** Applies a changed role. Rejects all waits with `resigned` if this node does not lead: only the leader moves the offset. */
  follow(role: Role, resigned: () => Error): void {
    this.#isOnlyInSync = role.kind === 'leader' && role.inSyncFollowers.length === 0
    if (role.kind !== 'leader') this.fail(resigned())
    this.advance()
  }

  /** Called for an appended batch of `size` bytes. */
  appended(nextOffset: bigint, size: number): void {
    if (this.#isOnlyInSync && this.#hidden.length === 0 && nextOffset <= this.#log.flushLimit) {
      this.#moveTo(nextOffset, size)
      return
    }
    this.#hidden.push({ nextOffset, size })
    this.advance()
  }

  /** Moves the high watermark to the flush limit, never backwards, and only while no follower is in sync. */
  advance(): void {
    const offset = this.#log.flushLimit
    if (!this.#isOnlyInSync || offset <= this.#log.highWatermark) return
    const count = this.#hidden.findIndex(({ nextOffset }) => nextOffset > offset)
    const visible = this.#hidden.splice(0, count < 0 ? this.#hidden.length : count)
    this.#moveTo(
      offset,
      visible.reduce((sum, { size }) => sum + size, 0)
    )
  }

  /** Resolves when the high watermark reaches `offset`; undefined if it already has. */
  reached(offset: bigint): Promise<void> | undefined {
    return offset <= this.#log.highWatermark ? undefined : this.#waits.until(offset)
  }

  /** Rejects all waits. */
  fail(why: Error): void {
    this.#waits.fail(why)
  }

  #moveTo(offset: bigint, bytes: number): void {
    this.#log.advanceHighWatermark(offset)
    this.#arrived(bytes)
    this.#waits.complete(offset)
  }
}
