import { Controller } from '@nestjs/common'
import { EventPattern } from '@nestjs/microservices'
import { Subject } from 'rxjs'

/** Consumes orders. */
@Controller()
export class OrdersController {
  readonly drinks = new Subject<string>()

  @EventPattern('orders')
  handle(order: { drink: string }): void {
    this.drinks.next(order.drink)
  }
}
