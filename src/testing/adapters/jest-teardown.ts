/** minikafka/jest-teardown: the `globalTeardown` of Jest, for configurations that name `minikafka/jest` as the global setup. */
export { globalTeardown as default } from './jest.ts'
