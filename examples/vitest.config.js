/** Runs this folder's vitest example by itself. */
import { defineConfig } from 'vitest/config'

export default defineConfig({ test: { root: import.meta.dirname, include: ['*.vitest.test.ts'] } })
