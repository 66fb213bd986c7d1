import { globalSetup } from 'minikafka/vitest'

export default globalSetup({ topics: ['orders'] })
