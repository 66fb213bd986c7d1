import { describe, expect, it } from 'vitest'
import { BackgroundLoops, type LoopOptions } from '../../src/runtime/background.ts'
import { oneStep, Pause, type Steps, yieldToEventLoop } from '../../src/runtime/pace.ts'
import { ManualClock } from '../../src/testing/manual-clock.ts'

/** Background loops on a manual clock, with a record of their runs. */
class LoopsDriver {
  readonly clock = new ManualClock()
  readonly failures: unknown[] = []
  readonly loops = new BackgroundLoops({ clocks: this.clock, failed: error => this.failures.push(error) })
  /** The time of each run since the test began. */
  readonly runs: number[] = []
  readonly #beganMs = this.clock.deadline.now()
  #finish: () => void = () => {}

  start(options: Partial<LoopOptions> = {}) {
    const work = () => oneStep(() => this.note())
    return this.loops.start({ name: 'test', delayMs: () => 100, work, ...options })
  }

  note(): void {
    this.runs.push(this.clock.deadline.now() - this.#beganMs)
  }

  /** Work that waits until `finish`. */
  *waiting(): Steps {
    this.note()
    yield new Promise<void>(resolve => {
      this.#finish = resolve
    })
  }

  /** Ends the wait and yields, so that the loop continues. */
  async finish(): Promise<void> {
    this.#finish()
    await yieldToEventLoop()
  }
}

describe('a background loop', () => {
  it('a loop runs at its interval, each run at its own time', () => {
    const driver = new LoopsDriver()
    driver.start()
    driver.clock.advance(99)
    expect(driver.runs).toEqual([])
    driver.clock.advance(201)
    expect(driver.runs).toEqual([100, 200, 300])
  })

  it('a loop with an initial delay waits for that before its first run', () => {
    const driver = new LoopsDriver()
    driver.start({ initialDelayMs: 30 })
    driver.clock.advance(230)
    expect(driver.runs).toEqual([30, 130, 230])
  })

  it('a loop reads its delay before each wait', () => {
    const driver = new LoopsDriver()
    let delayMs = 100
    driver.start({ delayMs: () => delayMs })
    driver.clock.advance(50)
    delayMs = 10
    driver.clock.advance(70)
    expect(driver.runs).toEqual([100, 110, 120])
  })

  it('a loop without a delay runs only when `run` is called', () => {
    const driver = new LoopsDriver()
    const loop = driver.start({ delayMs: () => undefined })
    driver.clock.advance(1000)
    loop.run()
    expect(driver.runs).toEqual([1000])
    expect(driver.clock.pendingAlarms).toBe(0)
  })

  it('a loop that is run at once counts its delay from that run', () => {
    const driver = new LoopsDriver()
    const loop = driver.start()
    driver.clock.advance(40)
    loop.run()
    driver.clock.advance(100)
    expect(driver.runs).toEqual([40, 140])
  })

  it('a run that falls due during another begins when that ends', async () => {
    const driver = new LoopsDriver()
    driver.start({ work: () => driver.waiting() })
    driver.clock.advance(250)
    expect(driver.runs).toEqual([100])
    await driver.finish()
    expect(driver.runs).toEqual([100, 250])
    driver.clock.advance(50)
    await driver.finish()
    expect(driver.runs).toEqual([100, 250])
    driver.clock.advance(50)
    expect(driver.runs).toEqual([100, 250, 350])
  })

  it('a loop that is run several times during a run runs once more', async () => {
    const driver = new LoopsDriver()
    const loop = driver.start({ delayMs: () => undefined, work: () => driver.waiting() })
    for (let count = 0; count < 3; count++) loop.run()
    expect(loop.isRunning).toBe(true)
    await driver.finish()
    await driver.finish()
    expect(driver.runs).toEqual([0, 0])
    expect(loop.isRunning).toBe(false)
  })

  it('a loop with delayFrom end counts its delay from the end of a run', async () => {
    const driver = new LoopsDriver()
    driver.start({ delayFrom: 'end', work: () => driver.waiting() })
    driver.clock.advance(150)
    await driver.finish()
    driver.clock.advance(99)
    expect(driver.runs).toEqual([100])
    driver.clock.advance(1)
    expect(driver.runs).toEqual([100, 250])
  })

  it.each([
    { when: 'begins', failing: () => [] },
    { when: 'has waited', failing: () => [new Pause()] }
  ])('a loop whose work throws when it $when fails the broker and does not run again', async ({ failing }) => {
    const driver = new LoopsDriver()
    const bug = new TypeError('a bug')
    const loop = driver.start({
      name: 'log retention',
      *work() {
        yield* failing()
        driver.note()
        throw bug
      }
    })
    driver.clock.advance(100)
    await yieldToEventLoop()
    loop.run()
    driver.clock.advance(1000)
    expect(driver.runs).toEqual([100])
    expect(driver.failures).toEqual([
      expect.objectContaining({ message: 'the background loop "log retention" failed', cause: bug })
    ])
    await loop.stop()
  })
})

describe('a stop of background loops', () => {
  it('a stop ends loops that wait, and no alarm is left', async () => {
    const driver = new LoopsDriver()
    const loop = driver.start()
    driver.start({ delayFrom: 'end' })
    await driver.loops.stop()
    loop.run()
    driver.clock.advance(1000)
    expect(driver.runs).toEqual([])
    expect(driver.clock.pendingAlarms).toBe(0)
  })

  it('a stop in the middle of a step waits for the step, and no other step runs', async () => {
    const driver = new LoopsDriver()
    const order: string[] = []
    driver.start({
      *work() {
        try {
          yield* driver.waiting()
          order.push('next step')
        } finally {
          order.push('closed')
        }
      }
    })
    driver.clock.advance(100)
    const stopped = driver.loops.stop().then(() => order.push('stopped'))
    await yieldToEventLoop()
    expect(order).toEqual([])
    await driver.finish()
    await stopped
    expect(order).toEqual(['closed', 'stopped'])
    expect(driver.failures).toEqual([])
  })

  it('a stop by a step of a loop ends that loop after the step', async () => {
    const driver = new LoopsDriver()
    driver.start({
      *work() {
        void driver.loops.stop()
        yield
        driver.note()
      }
    })
    driver.clock.advance(1000)
    await yieldToEventLoop()
    expect([driver.runs, driver.failures, driver.clock.pendingAlarms]).toEqual([[], [], 0])
  })

  it('a stop of work that cannot be closed fails the broker', async () => {
    const driver = new LoopsDriver()
    const bug = new TypeError('a bug')
    const close = () => {
      throw bug
    }
    driver.start({
      *work() {
        try {
          yield* driver.waiting()
        } finally {
          close()
        }
      }
    })
    driver.clock.advance(100)
    const stopped = driver.loops.stop()
    await driver.finish()
    await stopped
    expect(driver.failures).toEqual([expect.objectContaining({ cause: bug })])
  })
})
