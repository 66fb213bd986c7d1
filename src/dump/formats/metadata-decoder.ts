/** The records of __cluster_metadata and of its checkpoints. */
import { decodeMetadataRecord, shapeOfType } from '../../metadata/records.ts'
import { MalformedFrame } from '../../protocol/wire/bytes.ts'
import { type DumpedRecord, isAboutBytes } from '../decoders.ts'
import { Json, type Pair } from '../items.ts'
import { jsonString, shapeJson } from './json-text.ts'

/** Type, version and fields of the record; why not, where it is none. */
export function metadataDecoder({ offset, value }: DumpedRecord): Pair[] {
  try {
    if (value === null) throw new MalformedFrame('a metadata record without a value')
    const record = decodeMetadataRecord(value)
    const type = record.type.replace(/(?<=[a-z])(?=[A-Z])/g, '_').toUpperCase()
    const data = shapeJson(shapeOfType(record.type), { ...record }, record.version)
    return [['payload', new Json(`{"type":${jsonString(type)},"version":${record.version},"data":${data}}`)]]
  } catch (error) {
    if (!isAboutBytes(error)) throw error
    return [['payload', `Error at ${offset}, skipping. ${error.message}`]]
  }
}
