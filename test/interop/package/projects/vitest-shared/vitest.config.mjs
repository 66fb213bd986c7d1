// One broker for all workers, without options, in each pool.
import { defineConfig } from 'vitest/config'

const pools = ['threads', 'forks', 'vmThreads', 'vmForks']
const projects = pools.map(pool => ({ test: { name: pool, pool, maxWorkers: 2 } }))
export default defineConfig({ test: { globalSetup: 'minikafka/vitest', projects } })
