/** A metadata log with snapshots, and the list of its snapshots. */
import { Compaction } from '../../../src/metadata/log/compaction.ts'
import { listSnapshots } from '../../../src/metadata/log/snapshots.ts'
import { RecordingEvents } from '../../../src/testing/recording-events.ts'
import { type Given, settingsWith } from '../../config/settings-with.ts'
import { FOLDER, type MetadataLogDriver } from './metadata-log-driver.ts'

export const HOUR = 3_600_000
export const SEGMENT = { segmentBytes: 2000 }

/** Takes snapshots by Kafka's default configs, except the given ones. */
export function begin(driver: MetadataLogDriver, given?: Given) {
  const opened = driver.open()
  const { storage, clock: clocks, background } = driver
  const settings = settingsWith(given)
  const compaction = new Compaction({ ...opened, storage, clocks, settings, events: new RecordingEvents(), background })
  return { ...opened, compaction }
}

export const checkpoints = (driver: MetadataLogDriver) => driver.files().filter(name => name.endsWith('.checkpoint'))
export const newest = (driver: MetadataLogDriver) => listSnapshots(driver.storage, FOLDER).at(-1)

export function nameOf(offset: bigint, epoch: number): string {
  return `${String(offset).padStart(20, '0')}-${String(epoch).padStart(10, '0')}.checkpoint`
}
