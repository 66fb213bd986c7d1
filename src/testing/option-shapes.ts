/** The shapes of the fixture's options, for `verifyOptions`. */
import { topicSettings } from '../config/tables/topic.ts'
import { arrayOf, type Check, choiceOf, expected, mapOf, objectOf } from './option-check.ts'

const INT16_MAX = 32_767
const INT32_MAX = 2_147_483_647
const PORT_MAX = 65_535

const topicName = expected('the name of a topic', isText)

const settingValue = expected('a string, number, bigint or boolean', value =>
  ['string', 'number', 'bigint', 'boolean'].includes(typeof value)
)

const brokerConfig = mapOf("an object of settings by Kafka's names, as in { 'num.partitions': 3 }", settingValue)

const topicConfig = mapOf(
  "an object of settings by Kafka's names, as in { 'cleanup.policy': 'compact' }",
  settingValue,
  Object.keys(topicSettings)
)

const topicObject = objectOf({
  expects: "the name of a topic or an object, as in { name: 'orders', partitions: 3 }",
  noun: 'option',
  members: {
    name: topicName,
    partitions: wholeNumber(1, INT32_MAX),
    replicationFactor: wholeNumber(1, INT16_MAX),
    config: topicConfig
  },
  required: { name: 'the name of the topic' }
})

const topic: Check = value => (typeof value === 'string' ? topicName(value) : topicObject(value))

const LOGGER_METHODS = ['debug', 'info', 'warn', 'error', 'child'] as const

/** Options of `MiniKafka.start`. */
export const START_OPTIONS = objectOf({
  expects: "an object of options, as in { topics: ['orders'] }",
  noun: 'option',
  members: {
    topics: arrayOf("an array of topics, as in ['orders']", topic),
    config: brokerConfig,
    dataDir: expected('the path of a directory', isText),
    port: wholeNumber(0, PORT_MAX),
    host: expected('a host name or address', isText),
    logger: expected(`an object with the methods ${LOGGER_METHODS.join(', ')}, as pino's loggers have them`, isLogger),
    unref: expected('true or false', value => typeof value === 'boolean')
  }
})

/** Options of `kafka.stop`. */
export const STOP_OPTIONS = objectOf({
  expects: "an object of options, as in { failOn: 'leak' }",
  noun: 'option',
  members: { failOn: choiceOf('leak') }
})

function wholeNumber(atLeast: number, atMost: number): Check {
  return expected(
    `a whole number from ${atLeast} to ${atMost}`,
    value => typeof value === 'number' && Number.isInteger(value) && value >= atLeast && value <= atMost
  )
}

function isText(value: unknown): boolean {
  return typeof value === 'string' && value !== ''
}

function isLogger(value: unknown): boolean {
  if (typeof value !== 'object' && typeof value !== 'function') return false
  return LOGGER_METHODS.every(method => typeof (value as Record<string, unknown> | null)?.[method] === 'function')
}
