import { ClientKafka, type MicroserviceOptions, Transport } from '@nestjs/microservices'
import { Test } from '@nestjs/testing'
import { MiniKafka } from 'minikafka'
import { firstValueFrom, lastValueFrom } from 'rxjs'
import { OrdersController } from './orders.controller'

describe('OrdersController', () => {
  it('receives an order that a client emits', async () => {
    const kafka = await MiniKafka.start({ topics: ['orders'] })
    const client = { brokers: [kafka.bootstrapServers], logLevel: 0 }
    const module = await Test.createTestingModule({ controllers: [OrdersController] }).compile()
    const service = module.createNestMicroservice<MicroserviceOptions>({
      transport: Transport.KAFKA,
      options: { client, consumer: { groupId: 'kitchen' }, subscribe: { fromBeginning: true } },
      logger: false
    })
    await service.listen()
    const received = firstValueFrom(module.get(OrdersController).drinks)
    const orders = new ClientKafka({ client, producerOnlyMode: true })
    await lastValueFrom(orders.emit('orders', { drink: 'coffee' }))
    expect(await received).toBe('coffee')
    await orders.close()
    await service.close()
    await kafka.stop()
  })
})
