// A broker for each worker, in each pool that has a setup of its own.
import { defineConfig } from 'vitest/config'

const pools = ['threads', 'vmForks']
const projects = pools.map(pool => ({ test: { name: pool, pool, globalSetup: './kafka.setup.ts' } }))
export default defineConfig({ test: { projects } })
