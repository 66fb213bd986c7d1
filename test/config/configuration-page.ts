/** `docs/configuration.md`, generated from the table of settings. */
import type { Setting } from '../../src/config/define.ts'
import { settings, TOPIC_DEFAULTS } from '../../src/config/tables/broker.ts'
import { behindGroupSetting, groupSettings, isGroupSetting } from '../../src/config/tables/group.ts'
import { isTopicSetting, topicSettings } from '../../src/config/tables/log.ts'

const HEAD = `# Configuration

<!-- Generated from src/config/tables: npx vitest run test/config/documentation.test.ts -u -->

Names, types and defaults are those of Apache Kafka. A row with another default says so. Values come from four sources; a later
source overrides an earlier one:

1. the defaults,
2. the file of \`--config\`, a \`server.properties\` of Kafka,
3. environment variables, named as in Kafka's container images (\`KAFKA_NUM_PARTITIONS\`),
4. \`--set name=value\`.

An unknown name is an error. The start logs one line with the settings of Kafka that have no effect. Settings marked *dynamic* can
change while the broker runs, by \`kafka-configs.sh\` or any Admin client, for one broker or for all. Topic and group configs are
always dynamic.
`

/** The whole page. */
export function configurationPage(): string {
  const broker = table('Broker setting', settings, row => [
    row.update && 'dynamic',
    row.topic && `default of \`${row.topic}\``,
    ...marks(row)
  ])
  const topic = table('Topic config', topicSettings, (row, name) => {
    const names = isTopicSetting(name) ? (TOPIC_DEFAULTS.get(name) ?? []) : []
    return [names.map(each => `\`${each}\``).join(', '), ...marks(row)]
  })
  const group = table('Group config', groupSettings, (row, name) => {
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
    `## Topics\n\nThe last column names the broker setting with the default.\n\n${topic}`,
    `## Groups\n\nThe last column names the broker settings with the default, the minimum and the maximum.\n\n${group}`
  ].join('\n')
}

function marks({ internal, unsupported }: Setting<unknown>): unknown[] {
  return [internal && 'internal', unsupported && 'no effect yet']
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
