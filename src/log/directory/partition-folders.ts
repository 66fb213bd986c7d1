/** The folders of a data directory: whose each one is, the making of new ones, and the putting aside of those in the way. */
import type { Logger } from '../../runtime/logger.ts'
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

/** What the folders need from outside. */
export interface PartitionFoldersOptions {
  readonly storage: Storage
  readonly random: Random
  readonly logger: Logger
  readonly removal: Removal
  /** Called when nothing that is known of a folder holds any more. */
  readonly forget: (folder: string) => void
  /** Called before a folder is made. */
  readonly making: (folder: string) => void
}

export class PartitionFolders {
  readonly #options: PartitionFoldersOptions

  constructor(options: PartitionFoldersOptions) {
    this.#options = options
  }

  /** The partitions that have a folder, by its name. The metadata is none of them. */
  list(): Map<string, TopicPartition> {
    const found = this.#names().flatMap((name): [string, TopicPartition][] => {
      const parsed = name === METADATA_FOLDER ? undefined : parseFolder(name)
      return typeof parsed === 'object' ? [[name, parsed]] : []
    })
    return new Map(found)
  }

  /** Begins to remove folders of deleted partitions, and tells of those that are nobody's here. */
  clear(): void {
    for (const name of this.#names()) {
      const parsed = parseFolder(name)
      if (parsed === 'delete') this.#options.removal.begin([name])
      else if (typeof parsed !== 'object') {
        const why = 'a folder of the data directory is no partition in use: it is left alone'
        this.#options.logger.warn({ folder: name }, why)
      }
    }
  }

  /**
   * Whether a partition's folder is of the topic with that id. As in Kafka one that does not say whose it is belongs to
   * nobody, unless it is still empty. There was never another metadata log: that one speaks for itself.
   */
  isOf(folder: string, topicId: string): boolean {
    const found = readTopicId(this.#options.storage, folder)
    return found === topicId || folder === METADATA_FOLDER || (found === undefined && this.#isEmpty(folder))
  }

  /** Makes the folder of a partition say whose it is. One that an earlier topic of that name has left is put aside. */
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

  /** Renames a partition's folder. Returns its new name, or undefined if it was never made. */
  setAside(partition: TopicPartition, why: 'delete' | 'stray'): string | undefined {
    const { storage, random, logger, forget } = this.#options
    const folder = folderOf(partition)
    if (!storage.exists(folder)) return undefined
    const renamed = setAsideName(partition, why, random)
    storage.rename(folder, renamed)
    forget(folder)
    if (why === 'stray') logger.warn({ folder, renamed }, 'a partition that no topic owns has been put aside')
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
