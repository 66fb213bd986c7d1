/**
 * A cleaned segment takes the place of those it was made from, such that whoever reads sees the old ones or the new, and
 * a process or machine that dies at any moment leaves a folder from which the next start makes the one or the other:
 * while a file is named `.cleaned` nothing has happened; once all are named `.swap` the old ones are to go. Names are
 * brought to the disk between the steps, for what was not synced may come in any order.
 */

import type { Storage } from '../../storage/storage.ts'
import type { Segment } from '../segment/segment.ts'
import type { Segments } from '../segment/segments.ts'

/** The log in which segments are swapped. */
export interface SwapPorts {
  readonly storage: Storage
  readonly folder: string
  readonly segments: Segments
  /** Takes the files of a segment that is no longer part of the log out of the way, at once. */
  setAside(segment: Segment): void
  /** Whether the log goes on; a log that has been deleted or taken offline has no files to be changed. */
  isAlive(): boolean
}

/** Replaces `sources` by `cleaned`, whose bytes are on the disk. False, without a trace, where they are gone already. */
export async function swapIn(ports: SwapPorts, sources: readonly Segment[], cleaned: Segment): Promise<boolean> {
  const { storage, folder, segments, setAside } = ports
  const canGoOn = () => ports.isAlive() && segments.hasAll(sources)
  await storage.sync(folder)
  if (!canGoOn()) return false
  const swap = cleaned.renamed('.swap')
  await storage.sync(folder)
  if (!canGoOn()) {
    if (!ports.isAlive()) return false
    swap.remove()
    await storage.sync(folder)
    return false
  }
  segments.replace(sources, swap)
  for (const source of sources) setAside(source)
  await storage.sync(folder)
  // Retention may have taken the new segment already.
  if (ports.isAlive() && segments.hasAll([swap])) segments.replace([swap], swap.renamed(''))
  await storage.sync(folder)
  return true
}
