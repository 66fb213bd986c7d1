import { readdirSync, readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import type { RowOptions } from '../../src/config/define.ts'
import { settings } from '../../src/config/tables/broker.ts'
import { topicSettings } from '../../src/config/tables/topic.ts'

/** Where settings are checked and shown, which is no effect. */
const TABLES = /config\/(settings|topic-settings|known-names|validate|resolve)\.ts$/
/** Their whole effect is what they are checked for. */
const CHECKED_ONLY = ['broker.id', 'remote.storage.enable']
/** Handed to a codec that makes nothing of it. */
const ASKED_FOR_IN_VAIN = ['compression.lz4.level']

test('a setting that no code asks for is marked as unsupported, and no other is', () => {
  const root = new URL('../../src/', import.meta.url)
  const files = readdirSync(root, { recursive: true, encoding: 'utf8' })
  const code = files
    .filter(file => file.endsWith('.ts') && !TABLES.test(file))
    .map(file => readFileSync(new URL(file, root), 'utf8'))
  const isAskedFor = (name: string) => code.some(text => text.includes(`get('${name}')`))
  const isInUse = (name: string) =>
    CHECKED_ONLY.includes(name) || (isAskedFor(name) && !ASKED_FOR_IN_VAIN.includes(name))
  for (const [name, { unsupported, topic }] of Object.entries<RowOptions>({ ...settings, ...topicSettings })) {
    expect(unsupported ?? false, name).toBe(!isInUse(topic ?? name))
  }
})
