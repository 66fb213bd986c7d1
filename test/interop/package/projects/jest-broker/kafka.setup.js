import { globalSetup } from 'minikafka/jest'

export default globalSetup({ topics: ['orders'], perWorker: 'broker' })
