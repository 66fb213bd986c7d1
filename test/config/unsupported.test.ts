import { readdirSync, readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import type { RowOptions } from '../../src/config/define.ts'
import { settings } from '../../src/config/tables/broker.ts'
import { behindGroupSetting, groupSettings, isGroupSetting } from '../../src/config/tables/group.ts'
import { topicSettings } from '../../src/config/tables/log.ts'

/** Files that declare and check settings. A name in these files does not count as an effect. */
const TABLES = /config\/(tables\/|(validate|resolve)\.ts$)/
/** Settings whose whole effect is their check. */
const CHECKED_ONLY = ['broker.id', 'remote.storage.enable']
/** Settings passed to a codec that ignores them. */
const IGNORED = ['compression.lz4.level']

test('a setting that no code reads is marked as unsupported, and no other is', () => {
  const root = new URL('../../src/', import.meta.url)
  const files = readdirSync(root, { recursive: true, encoding: 'utf8' })
  const code = files
    .filter(file => file.endsWith('.ts') && !TABLES.test(file))
    // Internal topics are created with settings that no code reads.
    .map(file => readFileSync(new URL(file, root), 'utf8').replaceAll(/\bname: '.*?'/g, ''))
  const isRead = (name: string) => code.some(text => text.includes(`'${name}'`))
  const readByGroups = Object.keys(groupSettings)
    .filter(isGroupSetting)
    .filter(isRead)
    .flatMap(name => Object.values(behindGroupSetting(name)))
  const inUse = new Set([...CHECKED_ONLY, ...readByGroups])
  const isInUse = (name: string) => inUse.has(name) || (isRead(name) && !IGNORED.includes(name))
  for (const [name, { unsupported, topic }] of Object.entries<RowOptions>({ ...settings, ...topicSettings })) {
    expect(unsupported ?? false, name).toBe(!isInUse(topic ?? name))
  }
})
