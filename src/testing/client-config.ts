/** Configurations with which client libraries connect to a broker. */
import { choiceOf, verifyOptions } from './option-check.ts'

/** The configuration of each client library, by its name in `clientConfig`. */
export interface ClientConfigs {
  /** kafkajs: `new Kafka(config)`. */
  readonly kafkajs: { brokers: string[] }
  /** Apache Kafka's Java clients. */
  readonly java: { 'bootstrap.servers': string }
  /** librdkafka and the clients that use it: node-rdkafka, confluent-kafka for JavaScript and Python. */
  readonly librdkafka: { 'bootstrap.servers': string }
  /** platformatic's kafka: `new Producer({ clientId, ...config })`. */
  readonly platformatic: { bootstrapBrokers: string[] }
}

const CONFIGS: { readonly [Library in keyof ClientConfigs]: (servers: string[]) => ClientConfigs[Library] } = {
  kafkajs: brokers => ({ brokers }),
  java: servers => ({ 'bootstrap.servers': servers.join(',') }),
  librdkafka: servers => ({ 'bootstrap.servers': servers.join(',') }),
  platformatic: bootstrapBrokers => ({ bootstrapBrokers })
}

const isLibrary = choiceOf(...Object.keys(CONFIGS))

/** A new configuration for each call. Throws ConfigError for an unknown library. */
export function clientConfig<Library extends keyof ClientConfigs>(
  library: Library,
  servers: readonly string[]
): ClientConfigs[Library] {
  verifyOptions('clientConfig: library', isLibrary, library)
  return CONFIGS[library]([...servers])
}
