import { expect, test } from 'vitest'
import { configurationPage } from './configuration-page.ts'

test('docs/configuration.md shows the table of settings as it is', async () => {
  await expect(configurationPage()).toMatchFileSnapshot('../../docs/configuration.md')
})
