/** A shard of the group coordinator on a log in memory, without a coordinator. */
import { Shard } from '../../src/coordinator/shard.ts'
import { Timers } from '../../src/coordinator/timers.ts'
import type { GroupTimer } from '../../src/group/effects.ts'
import type { GroupShard } from '../../src/group/operations.ts'
import { decodeRecord, encodeRecord } from '../../src/group/records.ts'
import { GroupState } from '../../src/group/state.ts'
import { runAtOnce } from '../../src/runtime/pace.ts'
import type { Clocks } from '../../src/runtime/time.ts'
import { ManualClock } from '../../src/testing/manual-clock.ts'
import { RecordingEvents } from '../../src/testing/recording-events.ts'
import type { MemoryStateLog } from '../coordinator/memory-state-log.ts'

/** Loads the shard. Timers of the shard are set, and never run. */
export function groupShard(log: MemoryStateLog, clocks: Clocks = new ManualClock()): GroupShard {
  const timers = new Timers<GroupTimer>(clocks.deadline, () => {})
  const shard = new Shard({
    ...{ state: new GroupState(timers), topic: '__consumer_offsets', log, timers },
    ...{ format: { encode: encodeRecord, decode: decodeRecord }, wall: clocks.wall, events: new RecordingEvents() }
  })
  runAtOnce(shard.load())
  return shard
}
