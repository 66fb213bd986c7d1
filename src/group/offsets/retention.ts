/**
 * Removes committed offsets: expired ones at an interval, those of a deleted topic at once. Both visit all groups in slices.
 * Until a group is visited, the topic id distinguishes offsets of the deleted topic from those of a new topic of the same name.
 */
import { derived, rows } from '../../config/view.ts'
import type { GroupEvent } from '../../events/group-events.ts'
import { KafkaError } from '../../protocol/errors.ts'
import type { BackgroundLoop } from '../../runtime/background.ts'
import type { Steps } from '../../runtime/pace.ts'
import type { Group } from '../group.ts'
import type { GroupShard, GroupWorld } from '../operations.ts'
import type { GroupRecord } from '../records.ts'
import type { GroupState } from '../state.ts'
import { expireDeletedTopics, expireGroup, forgetTopic } from './offset-expiry.ts'

const RETENTION_ROWS = rows({
  retentionMs: derived(['offsets.retention.minutes'], minutes => minutes * 60_000),
  checkIntervalMs: 'offsets.retention.check.interval.ms'
})

/** Returns the records that remove offsets of a group. */
type Decision = (group: Group, offsets: GroupState['offsets']) => GroupRecord[]

/** A removal of offsets from all groups, and the event type for each group that loses offsets. */
interface Removal {
  readonly decide: Decision
  readonly eventType: Extract<GroupEvent, { count: number }>['type']
}

export class Retention {
  readonly #world: GroupWorld
  readonly #shards: Iterable<GroupShard>
  readonly #deletion: BackgroundLoop
  /** Removals for deleted topics, in the order of their deletion. */
  readonly #deletions = new Set<Removal>()

  constructor(world: GroupWorld, shards: Iterable<GroupShard>) {
    this.#world = world
    this.#shards = shards
    this.#deletion = world.background.start({ name: 'offsets of deleted topics', work: () => this.#delete() })
  }

  /** Removes offsets of topics that no longer exist, and starts the removal of expired offsets. */
  start(): void {
    const { clocks, settings, topics, background } = this.#world
    const exists = (topicId: string) => topics.nameOf(topicId) !== undefined
    this.#beginDeletion(({ groupId }, offsets) =>
      expireDeletedTopics(groupId, offsets.of(groupId), offsets.pending.of(groupId), exists)
    )
    const retention = settings.view(RETENTION_ROWS)
    const decide: Decision = (group, offsets) =>
      expireGroup(group, offsets.of(group.groupId), offsets.pending, clocks.wall.now(), retention.retentionMs)
    background.start({
      name: 'offset expiration',
      delayMs: () => retention.checkIntervalMs,
      work: () => this.#removeFromAll({ decide, eventType: 'OffsetsExpired' })
    })
  }

  /** Removes all offsets that were committed for the topic. */
  topicDeleted(topic: { readonly name: string; readonly topicId: string }): void {
    this.#beginDeletion(({ groupId }, offsets) =>
      forgetTopic(groupId, offsets.of(groupId), offsets.pending.of(groupId), topic)
    )
  }

  #beginDeletion(decide: Decision): void {
    this.#deletions.add({ decide, eventType: 'OffsetsDeleted' })
    this.#deletion.run()
  }

  *#delete(): Steps {
    for (const removal of this.#deletions) {
      yield* this.#removeFromAll(removal)
      this.#deletions.delete(removal)
    }
  }

  *#removeFromAll(removal: Removal): Steps {
    for (const shard of [...this.#shards]) yield* this.#removeFromShard(shard, removal)
  }

  /** Between two steps groups may change, and the coordinator may unload the shard. */
  *#removeFromShard(shard: GroupShard, removal: Removal): Steps {
    const { groups, offsets } = shard.state
    for (const groupId of [...groups.keys()]) {
      const group = groups.get(groupId)
      if (!shard.isLoaded) return
      if (group) this.#remove(shard, groupId, removal.decide(group, offsets), removal)
      yield
    }
  }

  /** A group whose tombstones cannot be written keeps its offsets; the topic id still identifies those of a deleted topic. */
  #remove(shard: GroupShard, groupId: string, records: readonly GroupRecord[], { eventType: type }: Removal): void {
    const { events } = this.#world
    try {
      shard.commitInParts(records)
      const count = records.filter(record => record.type === 'OffsetCommit').length
      if (count > 0) events.emit({ type, groupId, count })
    } catch (error) {
      if (!(error instanceof KafkaError)) throw error
      events.emit({ type: 'OffsetsRemovalFailed', groupId, error })
    }
  }
}
