/**
 * Runs recorded requests against the config functions and compares the responses with those of Apache Kafka 4.3.1 in the same
 * order, on one node (node.id=1, log.retention.hours=100, log.roll.ms=5000000). Each line is one request.
 */
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { type AlteredResource, alterConfigs, incrementalAlterConfigs } from '../../src/config/alter.ts'
import { InvalidConfig } from '../../src/config/define.ts'
import { type ConfigState, describeConfigs } from '../../src/config/describe.ts'
import { createdTopicConfigs, newTopicOverrides } from '../../src/config/new-topic.ts'
import { BrokerSettings } from '../../src/config/values.ts'
import { ERROR_CODES } from '../../src/protocol/errors.ts'

type Line =
  | {
      api: 'CreateTopics'
      topic: string
      configs: [string, string | null][]
      error: number
      message: string | null
      answer?: unknown[]
    }
  | {
      api: 'DescribeConfigs'
      synonyms: boolean
      resources: [number, string, string[] | null][]
      answers: [number, string, unknown[]][]
    }
  | {
      api: 'AlterConfigs' | 'IncrementalAlterConfigs'
      validateOnly: boolean
      resources: [number, string, [string, string | null, number?][]][]
      answers: [number, string | null][]
    }

/** The part of a broker that the requests need. */
class Cluster implements ConfigState {
  readonly nodeId = 1
  settings = new BrokerSettings(
    new Map([
      ['node.id', '1'],
      ['log.retention.hours', '100'],
      ['log.roll.ms', '5000000']
    ])
  )
  readonly topics = new Map<string, ReadonlyMap<string, string>>()

  topicOverrides(topic: string) {
    return this.topics.get(topic)
  }

  groupOverrides() {
    return new Map<string, string>()
  }

  topicNameProblem(topic: string) {
    if (topic === '') return 'Topic name is invalid: the empty string is not allowed'
    const rest = "contains one or more characters other than ASCII alphanumerics, '.', '_' and '-'"
    return /^[\w.-]+$/.test(topic) ? undefined : `Topic name is invalid: '${topic}' ${rest}`
  }

  create({ topic, configs }: Line & { api: 'CreateTopics' }) {
    try {
      const asked = configs.map(([name, value]) => ({ name, value }))
      const overrides = newTopicOverrides(asked, this.settings)
      this.topics.set(topic, overrides)
      const answer = createdTopicConfigs(overrides, this.settings)
      return {
        error: 0,
        message: null,
        answer: answer.map(({ name, value, configSource }) => [name, value, configSource])
      }
    } catch (error) {
      if (!(error instanceof InvalidConfig)) throw error
      return { error: ERROR_CODES[error.code], message: error.message, answer: [] }
    }
  }

  alter(line: Line & { api: 'AlterConfigs' | 'IncrementalAlterConfigs' }) {
    const resources: AlteredResource[] = line.resources.map(([resourceType, resourceName, configs]) => ({
      resourceType,
      resourceName,
      configs: configs.map(([name, value, configOperation]) =>
        configOperation === undefined ? { name, value } : { name, value, configOperation }
      )
    }))
    const alter = line.api === 'AlterConfigs' ? alterConfigs : incrementalAlterConfigs
    const results = alter(resources, this)
    for (const { resourceType, resourceName, changes } of line.validateOnly ? [] : results) {
      const { perBroker, clusterWide } = this.settings.layers
      const old = resourceType === 2 ? this.topics.get(resourceName) : resourceName === '' ? clusterWide : perBroker
      const next = new Map(old)
      for (const { name, value } of changes) value === null ? next.delete(name) : next.set(name, value)
      if (resourceType === 2 && old) this.topics.set(resourceName, next)
      if (resourceType === 4 && changes.length > 0) {
        this.settings =
          resourceName === ''
            ? this.settings.withDynamic(perBroker, next)
            : this.settings.withDynamic(next, clusterWide)
      }
    }
    return results.map(({ errorCode, errorMessage }) => [ERROR_CODES[errorCode], errorMessage])
  }

  describe({ synonyms, resources }: Line & { api: 'DescribeConfigs' }) {
    const asked = resources.map(([resourceType, resourceName, configurationKeys]) => ({
      resourceType,
      resourceName,
      configurationKeys
    }))
    const results = describeConfigs(asked, { includeSynonyms: synonyms, includeDocumentation: false }, this)
    return results.map(({ errorCode, errorMessage, configs }) => [
      ERROR_CODES[errorCode],
      errorMessage,
      configs
        .toSorted((a, b) => (a.name < b.name ? -1 : 1))
        .map(({ name, value, configSource, configType, readOnly, isSensitive, synonyms }) => {
          return [
            name,
            value,
            configSource,
            configType,
            readOnly,
            isSensitive,
            synonyms.map(s => [s.name, s.value, s.source])
          ]
        })
    ])
  }
}

const lines = readFileSync(new URL('./kafka-4.3.1.jsonl', import.meta.url), 'utf8')
  .trim()
  .split('\n')

test('config requests are answered as Apache Kafka 4.3.1 answered them', () => {
  const cluster = new Cluster()
  for (const text of lines) {
    const line: Line = JSON.parse(text)
    if (line.api === 'CreateTopics') {
      const { error, message, answer } = cluster.create(line)
      expect({ error, message }, text).toEqual({ error: line.error, message: line.message })
      if (line.answer) expect(answer, text).toEqual(line.answer)
    } else if (line.api === 'DescribeConfigs') expect(cluster.describe(line), text.slice(0, 200)).toEqual(line.answers)
    else expect(cluster.alter(line), text).toEqual(line.answers)
  }
})
