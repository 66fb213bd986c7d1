/** The shapes of the fixture's options and of the lines of a file of records, for `verifyOptions`. */
import { topicSettings } from '../config/tables/log.ts'
import { arrayOf, type Check, choiceOf, expected, Mismatch, mapOf, objectOf, type Shape } from './option-check.ts'

const INT16_MAX = 32_767
const INT32_MAX = 2_147_483_647
const LOG_DIRECTORIES = ['log.dirs', 'log.dir']
const PORT_MAX = 65_535
const LONGEST_TOPIC_NAME = 249
/** The longest string of Kafka's protocol. */
const LONGEST_STRING_BYTES = 32_767

const topicName = expected(`the name of a topic, at most ${LONGEST_TOPIC_NAME} characters`, value =>
  isText(value, LONGEST_TOPIC_NAME)
)

const settingValue = expected(
  `a string of at most ${LONGEST_STRING_BYTES} bytes, a number, a bigint or a boolean`,
  value =>
    ['string', 'number', 'bigint', 'boolean'].includes(typeof value) &&
    Buffer.byteLength(String(value)) <= LONGEST_STRING_BYTES
)

const brokerSettings = mapOf("an object of settings by Kafka's names, as in { 'num.partitions': 3 }", settingValue)

/** Settings for the data directory are refused, because they would have no effect: `dataDir` is an option. */
const brokerConfig: Check = value => {
  const settings = brokerSettings(value)
  if (settings instanceof Mismatch || !LOG_DIRECTORIES.some(name => Object.hasOwn(Object(settings), name)))
    return settings
  return new Mismatch(`has ${LOG_DIRECTORIES.join(' or ')}: use the option dataDir instead`)
}

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

/** A topic to create: its name, or an object. */
export const TOPIC: Check = value => (typeof value === 'string' ? topicName(value) : topicObject(value))

/** Descriptions of the expected values, for JavaScript options and for JSON lines. */
interface RecordTexts {
  readonly record: string
  readonly bytes: string
  readonly headers: string
  readonly headerValue: string
  readonly timestamp: string
}

const EXAMPLE_RECORD = "{ topic: 'orders', key: 'k', value: 'v' }"
const MILLISECONDS = 'milliseconds since 1970 as a whole number from 0'

const OPTION_TEXTS: RecordTexts = {
  record: `an object, as in ${EXAMPLE_RECORD}`,
  bytes: 'a string, a Uint8Array or null',
  headers: "an object of header values, as in { source: 'test' }",
  headerValue: 'a string, a Uint8Array, null, or an array of these',
  timestamp: `${MILLISECONDS}, or a valid Date`
}

const LINE_TEXTS: RecordTexts = {
  record: 'an object, as in {"topic":"orders","key":"k","value":"v"}',
  bytes: 'a string or null',
  headers: 'an object of header values, as in {"source":"test"}',
  headerValue: 'a string, null, or an array of these',
  timestamp: MILLISECONDS
}

/** Checks for a record or a transaction. An object with a member that only transactions have is a transaction. */
function recordElement(texts: RecordTexts): Check {
  const record = recordShape(texts)
  const transaction = transactionShape(texts, record)
  return value => {
    const isTransaction =
      typeof value === 'object' && value !== null && ('transactionalId' in value || 'records' in value)
    return isTransaction ? transaction(value) : record(value)
  }
}

function recordShape(texts: RecordTexts): Check {
  const bytes = expected(texts.bytes, isBytes, bytesCopy)
  const headerValue = expected(texts.headerValue, isBytes, bytesCopy)
  const headerValues = arrayOf('an array', bytes)
  return objectOf({
    expects: texts.record,
    noun: 'field',
    members: {
      topic: topicName,
      partition: wholeNumber(0, INT32_MAX),
      key: bytes,
      value: bytes,
      headers: mapOf(texts.headers, value => (Array.isArray(value) ? headerValues(value) : headerValue(value))),
      timestamp: timestamp(texts.timestamp)
    },
    required: { topic: 'the name of the topic' }
  })
}

function transactionShape(texts: RecordTexts, record: Check): Check {
  const records = arrayOf('an array of records', record)
  const someRecords = expected('an array of one record or more', value => Array.isArray(value) && value.length > 0)
  return objectOf({
    expects: texts.record,
    noun: 'field',
    members: {
      transactionalId: expected(`a transactional id, at most ${LONGEST_STRING_BYTES} bytes`, value => isText(value)),
      result: choiceOf('commit', 'abort', 'open'),
      records: value => {
        const copy = records(value)
        return copy instanceof Mismatch ? copy : someRecords(copy)
      }
    },
    required: { transactionalId: 'the transactional id of a producer', records: 'the records of the transaction' }
  })
}

/** Checks for a line of a file of records. */
export const RECORD_LINE = recordElement(LINE_TEXTS)

const LOGGER_METHODS = ['debug', 'info', 'warn', 'error', 'child'] as const

const START: Shape = {
  name: 'options',
  expects: "an object of options, as in { topics: ['orders'] }",
  noun: 'option',
  members: {
    topics: arrayOf("an array of topics, as in ['orders']", TOPIC),
    records: arrayOf(`an array of records, as in [${EXAMPLE_RECORD}]`, recordElement(OPTION_TEXTS)),
    config: brokerConfig,
    dataDir: expected('the path of a directory', value => isText(value) && !String(value).includes('\0')),
    port: wholeNumber(0, PORT_MAX),
    host: expected('a host name or address without port', isHost),
    logger: expected(`an object with the methods ${LOGGER_METHODS.join(', ')}, as pino's loggers have them`, isLogger),
    unref: expected('true or false', value => typeof value === 'boolean')
  },
  conflict: ({ config, ...options }) => {
    const name = ['port', 'host'].find(option => Object.hasOwn(options, option))
    if (name === undefined || !Object.hasOwn(Object(config), 'listeners')) return undefined
    return new Mismatch(`has listeners, which set host and port: omit the option ${name}, or listeners`, 'config')
  }
}

const STOP: Shape = {
  name: 'options',
  expects: "an object of options, as in { failOn: 'leak' }",
  noun: 'option',
  members: { failOn: choiceOf('leak') }
}

const SUITE: Shape = { ...START, members: { ...START.members, ...STOP.members } }
const GLOBAL_SETUP: Shape = { ...START, members: { ...START.members, perWorker: choiceOf('namespace', 'broker') } }

/** Options of `MiniKafka.start`. */
export const START_OPTIONS = objectOf(START)
/** Options of `kafka.stop`. */
export const STOP_OPTIONS = objectOf(STOP)
/** Options of `useKafka`. */
export const SUITE_OPTIONS = objectOf(SUITE)
/** Options of `globalSetup`. */
export const GLOBAL_SETUP_OPTIONS = objectOf(GLOBAL_SETUP)

function wholeNumber(atLeast: number, atMost: number): Check {
  return expected(
    `a whole number from ${atLeast} to ${atMost}`,
    value => typeof value === 'number' && Number.isInteger(value) && value >= atLeast && value <= atMost
  )
}

function isText(value: unknown, longestBytes = LONGEST_STRING_BYTES): boolean {
  return typeof value === 'string' && value !== '' && Buffer.byteLength(value) <= longestBytes
}

/** True for a host without a port. An IPv6 address has several colons. */
function isHost(value: unknown): boolean {
  return typeof value === 'string' && /^[^\s/]+$/.test(value) && !/^[^:]*:[^:]*$/.test(value)
}

function isBytes(value: unknown): boolean {
  return value === null || typeof value === 'string' || isUint8Array(value)
}

/** Also true for an array of another realm, because test runners run tests in separate contexts. */
function isUint8Array(value: unknown): value is Uint8Array {
  return ArrayBuffer.isView(value) && Object.prototype.toString.call(value) === '[object Uint8Array]'
}

function bytesCopy(value: unknown): unknown {
  return isUint8Array(value) ? new Uint8Array(value) : value
}

/** The milliseconds of a number or a Date. */
function timestamp(expects: string): Check {
  return value => {
    const isDate = typeof value === 'object' && value !== null && 'getTime' in value
    const milliseconds: unknown = isDate && typeof value.getTime === 'function' ? value.getTime() : value
    const isValid = Number.isSafeInteger(milliseconds) && Number(milliseconds) >= 0
    return isValid ? milliseconds : expected(expects, () => false)(value)
  }
}

function isLogger(value: unknown): boolean {
  if (typeof value !== 'object' && typeof value !== 'function') return false
  return LOGGER_METHODS.every(method => typeof (value as Record<string, unknown> | null)?.[method] === 'function')
}
