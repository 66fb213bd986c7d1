/** Node 1 of a cluster, without the other nodes: a broker whose metadata a test changes as a controller would. */
import { assemble } from '../../src/broker/assembly.ts'
import type { Parts } from '../../src/broker/context.ts'
import { pipeline } from '../../src/broker/pipeline.ts'
import { LogDirectory } from '../../src/log/directory/log-directory.ts'
import { metadataLogConfig } from '../../src/metadata/log/metadata-log.ts'
import { metadataRecord } from '../../src/metadata/records.ts'
import type { Dispatch } from '../../src/net/dispatch.ts'
import type { Api, DecodedResponseOf, EncodableRequestOf } from '../../src/protocol/api.ts'
import { APIS, type ApiName } from '../../src/protocol/messages/index.ts'
import { BackgroundLoops } from '../../src/runtime/background.ts'
import { seededRandom } from '../../src/runtime/random.ts'
import { MemoryStorage } from '../../src/storage/memory-storage.ts'
import { type RequestOptions, send } from '../../src/testing/in-process.ts'
import { ManualClock } from '../../src/testing/manual-clock.ts'
import { RecordingEvents } from '../../src/testing/recording-events.ts'
import { type Given, settingsWith } from '../config/settings-with.ts'

/** Fields of a PartitionChangeRecord. */
export interface PartitionChange {
  readonly leader?: number
  readonly isr?: readonly number[]
  readonly replicas?: readonly number[]
}

export class NodeOfCluster {
  readonly clock: ManualClock
  readonly parts: Parts
  readonly #dispatch: Dispatch
  #correlationId = 0

  private constructor(clock: ManualClock, parts: Parts) {
    this.clock = clock
    this.parts = parts
    this.#dispatch = pipeline(parts)
  }

  static async start(given?: Given): Promise<NodeOfCluster> {
    const clock = new ManualClock()
    const settings = settingsWith(given)
    const failed = (error: unknown) => {
      throw error
    }
    const ports = {
      storage: new MemoryStorage(),
      clocks: clock,
      random: seededRandom(1),
      events: new RecordingEvents()
    }
    const metadataLog = metadataLogConfig(settings)
    const directory = await LogDirectory.open({ ...ports, metadataLog, identity: { nodeId: 1 } })
    const background = new BackgroundLoops({ clocks: clock, failed })
    const parts = assemble({ ...ports, settings, background, failed }, directory)
    await directory.load({ owned: partition => parts.replicas.ownerOf(partition) })
    await parts.groups.start()
    await parts.txns.start()
    return new NodeOfCluster(clock, parts)
  }

  async request<N extends ApiName>(
    name: N,
    request: EncodableRequestOf<(typeof APIS)[N]>,
    options: RequestOptions = {}
  ): Promise<DecodedResponseOf<(typeof APIS)[N]>> {
    const api: Api = APIS[name]
    const correlationId = ++this.#correlationId
    const response = await send(this.#dispatch, api, request as never, { ...options, correlationId })
    return response as DecodedResponseOf<(typeof APIS)[N]>
  }

  /** Creates a topic with one partition. Returns its id. */
  async createTopic(name: string, configs: Record<string, string> = {}): Promise<string> {
    const { topics } = await this.request('CreateTopics', {
      topics: [
        {
          name,
          numPartitions: 1,
          replicationFactor: 1,
          configs: Object.entries(configs).map(([key, value]) => ({ name: key, value }))
        }
      ]
    })
    return topics[0]?.topicId ?? ''
  }

  /** Changes partition 0 of a topic. */
  change(topic: string, { isr, replicas, ...change }: PartitionChange): void {
    const topicId = this.parts.metadata.image.topicsByName.get(topic)?.topicId ?? ''
    const lists = { ...(isr && { isr: [...isr] }), ...(replicas && { replicas: [...replicas] }) }
    this.parts.metadata.append([
      metadataRecord('PartitionChangeRecord', { partitionId: 0, topicId, ...change, ...lists })
    ])
  }
}
