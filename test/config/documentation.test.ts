import { expect, test } from 'vitest'
import { configurationPage } from './configuration-page.ts'

test('docs/configuration.md equals the page generated from the table of settings', async () => {
  await expect(configurationPage()).toMatchFileSnapshot('../../docs/configuration.md')
})
