/** What a dump says of a control record. */

import {
  controlTypeOf,
  coordinatorEpochOf,
  KRaftVersionRecord,
  LeaderChangeMessage,
  SnapshotFooterRecord,
  SnapshotHeaderRecord,
  VotersRecord
} from '../../protocol/records/control.ts'
import type { BatchRecord } from '../../protocol/records/record.ts'
import { ByteReader, MalformedFrame } from '../../protocol/wire/bytes.ts'
import type { Message } from '../../protocol/wire/compile.ts'
import type { Shape } from '../../protocol/wire/schema.ts'
import { Json, type Pair } from '../items.ts'
import { shapeJson } from './json-text.ts'

const TYPE_POSITION = 2

/** Kind and contents. Throws INVALID_RECORD or MalformedFrame for bytes that are no control record. */
export function controlPairs({ key, value }: BatchRecord): Pair[] {
  const type = controlTypeOf(key)
  switch (type) {
    case 'ABORT':
    case 'COMMIT':
      return [
        ['endTxnMarker', type],
        ['coordinatorEpoch', coordinatorEpochOf(value)]
      ]
    case 'LEADER_CHANGE':
      return [['LeaderChange', contents(LeaderChangeMessage, value)]]
    case 'SNAPSHOT_HEADER':
      return [['SnapshotHeader', contents(SnapshotHeaderRecord, value)]]
    case 'SNAPSHOT_FOOTER':
      return [['SnapshotFooter', contents(SnapshotFooterRecord, value)]]
    case 'KRAFT_VERSION':
      return [['KRaftVersion', contents(KRaftVersionRecord, value)]]
    case 'KRAFT_VOTERS':
      return [['KRaftVoters', contents(VotersRecord, value)]]
    case undefined:
      return [['controlType', `UNKNOWN(${key?.readInt16BE(TYPE_POSITION)})`]]
  }
}

/** All of them are written in version 0, and say so themselves. */
function contents<S extends Shape>({ shape, read }: Message<S>, value: Buffer | null): Json {
  if (value === null) throw new MalformedFrame('a control record without a value')
  return new Json(shapeJson(shape, read(new ByteReader(value), 0), 0))
}
