/** The partition folders of a data directory: their topic ids, and their creation and renaming. */
import type { Events } from '../../events/event.ts'
import type { Random } from '../../runtime/random.ts'
import type { Storage } from '../../storage/storage.ts'
import {
  folderOf,
  METADATA_FOLDER,
  parseFolder,
  readTopicId,
  setAsideName,
  type TopicPartition,
  writeTopicId
} from '../partition-folder.ts'
import type { Removal } from '../partition-log/removal.ts'
import { segmentPath } from '../segment/segment-names.ts'
import { segmentOffsets } from '../segment/segments.ts'

/** The ports of the folders. */
export interface PartitionFoldersOptions {
  readonly storage: Storage
  readonly random: Random
  readonly events: Events
  readonly removal: Removal
  /** Called when a folder has been renamed: all state of its partition is invalid. */
  readonly forget: (folder: string) => void
  /** Called before a folder is created. */
  readonly making: (folder: string) => void
}

export class PartitionFolders {
  readonly #options: PartitionFoldersOptions

  constructor(options: PartitionFoldersOptions) {
    this.#options = options
  }

  /** Partitions that have a folder, by folder name, without the metadata log. */
  list(): Map<string, TopicPartition> {
    const found = this.#names().flatMap((name): [string, TopicPartition][] => {
      const parsed = name === METADATA_FOLDER ? undefined : parseFolder(name)
      return typeof parsed === 'object' ? [[name, parsed]] : []
    })
    return new Map(found)
  }

  /** Starts to remove folders of deleted partitions, and emits an event for other folders that are not partitions. */
  clear(): void {
    for (const name of this.#names()) {
      const parsed = parseFolder(name)
      if (parsed === 'delete') this.#options.removal.begin([name])
      else if (typeof parsed !== 'object') this.#options.events.emit({ type: 'FolderIgnored', folder: name })
    }
  }

  /**
   * Whether a partition's folder belongs to the topic with that id. As in Kafka, a folder without a topic id belongs to no
   * topic, unless it is empty. The folder of the metadata log needs no topic id.
   */
  isOf(folder: string, topicId: string): boolean {
    const found = readTopicId(this.#options.storage, folder)
    return found === topicId || folder === METADATA_FOLDER || (found === undefined && this.#isEmpty(folder))
  }

  /**
   * Creates the folder of a partition with its topic id. The folder of an earlier topic of that name is renamed to -stray.
   */
  prepare(partition: TopicPartition, topicId: string): void {
    const { storage, making } = this.#options
    const folder = folderOf(partition)
    if (readTopicId(storage, folder) === topicId) return
    if (!this.isOf(folder, topicId)) this.setAside(partition, 'stray')
    if (!storage.exists(folder)) {
      making(folder)
      storage.makeDirectory(folder)
    }
    writeTopicId(storage, folder, topicId)
  }

  /** Renames a partition's folder. Returns its new name; undefined if the folder does not exist. */
  setAside(partition: TopicPartition, why: 'delete' | 'stray'): string | undefined {
    const { storage, random, events, forget } = this.#options
    const folder = folderOf(partition)
    if (!storage.exists(folder)) return undefined
    const renamed = setAsideName(partition, why, random)
    storage.rename(folder, renamed)
    forget(folder)
    if (why === 'stray') events.emit({ type: 'StrayPartitionRenamed', topicPartition: folder, folder: renamed })
    return renamed
  }

  #isEmpty(folder: string): boolean {
    const { storage } = this.#options
    return segmentOffsets(storage, folder).every(offset => storage.size(segmentPath(folder, offset, 'log')) === 0)
  }

  #names(): string[] {
    const entries = this.#options.storage.list('')
    return entries.filter(({ kind }) => kind === 'directory').map(({ name }) => name)
  }
}
