import { MiniKafka } from 'minikafka'

let kafka

export const mochaHooks = {
  async beforeAll() {
    kafka = await MiniKafka.start({ topics: ['orders'] })
    process.env.KAFKA_SERVERS = kafka.bootstrapServers
  },

  async afterAll() {
    await kafka.stop()
  }
}
