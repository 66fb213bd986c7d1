/** `docs/configuration.md`, generated from the table of settings. */
import type { Setting } from '../../src/config/define.ts'
import { settings, TOPIC_DEFAULTS } from '../../src/config/tables/broker.ts'
import { behindGroupSetting, groupSettings, isGroupSetting } from '../../src/config/tables/group.ts'
import { isTopicSetting, topicSettings } from '../../src/config/tables/log.ts'

const HEAD = `# Configuration

<!-- Made from src/config by test/config/documentation.test.ts. To write it again: npx vitest run test/config/documentation.test.ts -u -->

Names, types and defaults are Apache Kafka's; where a default differs, the row says so. Later wins: defaults, the file of
\`--config\` (a Kafka \`server.properties\`), \`KAFKA_*\` environment variables as container images name them
(\`KAFKA_NUM_PARTITIONS\`), \`--set name=value\`. A misspelt name is an error; Kafka settings that have no effect here, or none
yet, are named in one line at start. Settings marked *dynamic* can be changed while the broker runs, by \`kafka-configs.sh\` or any
Admin client, for one broker or for all; those of a topic or a group always can.
`

/** The whole page. */
export function configurationPage(): string {
  const broker = table('Setting of the broker', settings, row => [
    row.update && 'dynamic',
    row.topic && `default of \`${row.topic}\``,
    ...marks(row)
  ])
  const topic = table('Setting of a topic', topicSettings, (row, name) => {
    const names = isTopicSetting(name) ? (TOPIC_DEFAULTS.get(name) ?? []) : []
    return [names.map(each => `\`${each}\``).join(', '), ...marks(row)]
  })
  const group = table('Setting of a group', groupSettings, (row, name) => {
    const { byDefault, min, max } = isGroupSetting(name) ? behindGroupSetting(name) : {}
    return [
      [byDefault, min, max]
        .filter(Boolean)
        .map(each => `\`${each}\``)
        .join(', '),
      row.unsupported && 'no effect yet'
    ]
  })
  return [
    `${HEAD}\n## The broker\n\n${broker}`,
    `## Topics\n\nThe last column names the broker's setting that is the default.\n\n${topic}`,
    `## Groups\n\nThe last column names the broker's settings that are the default and the bounds.\n\n${group}`
  ].join('\n')
}

function marks({ internal, unsupported }: Setting<unknown>): unknown[] {
  return [internal && 'internal', unsupported && 'accepted, no effect yet']
}

function table(
  title: string,
  rows: Readonly<Record<string, Setting<unknown>>>,
  notes: (row: Setting<unknown>, name: string) => unknown[]
): string {
  const lines = Object.entries(rows).map(([name, row]) => {
    const initial =
      row.byDefault.text === null ? '' : row.byDefault.text === '' ? '(empty)' : `\`${row.byDefault.text}\``
    return `| \`${name}\` | ${row.type} | ${initial} | ${row.documentation} | ${row.expects} | ${notes(row, name).filter(Boolean).join('; ')} |\n`
  })
  return `| ${title} | Type | Default | Meaning | Must be | Notes |\n|---|---|---|---|---|---|\n${lines.join('')}`
}
