/** minikafka/jest-teardown: the `globalTeardown` of Jest, for a configuration without files of its own. */
export { globalTeardown as default } from './jest.ts'
