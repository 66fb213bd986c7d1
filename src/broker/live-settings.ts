/** The broker's settings in force: those given at start, under what the config APIs have put into the metadata. */

import { RESOURCE_TYPES } from '../config/resources.ts'
import type { BrokerSettings } from '../config/values.ts'
import { configsOf, type MetadataImage, type ResourceConfigs } from '../metadata/image/image.ts'

/** The resource name of the defaults of all brokers. */
const ALL_BROKERS = ''

export class LiveSettings {
  readonly #given: BrokerSettings
  readonly #nodeId: number
  readonly #metadata: { readonly image: MetadataImage }
  /** What was looked at last; a change of any setting makes another map. */
  #configs: MetadataImage['configs'] | undefined
  /** What `#settings` was made from. */
  #perBroker: ResourceConfigs | undefined
  #clusterWide: ResourceConfigs | undefined
  #settings: BrokerSettings

  constructor(given: BrokerSettings, metadata: { readonly image: MetadataImage }, nodeId: number) {
    this.#given = given
    this.#settings = given
    this.#metadata = metadata
    this.#nodeId = nodeId
  }

  get settings(): BrokerSettings {
    const { image } = this.#metadata
    if (image.configs !== this.#configs) {
      this.#configs = image.configs
      this.#follow(
        configsOf(image, RESOURCE_TYPES.BROKER, String(this.#nodeId)),
        configsOf(image, RESOURCE_TYPES.BROKER, ALL_BROKERS)
      )
    }
    return this.#settings
  }

  /** Most changes are of topics, and leave these maps what they were. */
  #follow(perBroker: ResourceConfigs, clusterWide: ResourceConfigs): void {
    if (perBroker === this.#perBroker && clusterWide === this.#clusterWide) return
    this.#settings = this.#given.withDynamic(perBroker, clusterWide)
    this.#perBroker = perBroker
    this.#clusterWide = clusterWide
  }
}
