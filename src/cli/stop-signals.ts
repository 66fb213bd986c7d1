/**
 * The signals that stop a command cleanly: SIGINT, SIGTERM and SIGHUP, as for the JVM of Apache Kafka. PID 1 of a container
 * needs handlers, because these signals have no default action for it.
 */
import { constants } from 'node:os'
import { systemClocks } from '../runtime/time.ts'

const STOP_SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const
const PARENT_CHECK_INTERVAL_MS = 200
/** An npm script that runs only minikafka, in the foreground: `minikafka start --port 0`, `node bin/minikafka.js start`. */
const ONLY_MINIKAFKA = /^\s*("?\S*node(\.exe)?"?\s+)?"?(\S*[\\/])?minikafka(\.js)?"?(\s[^&;|\n]*)?$/

/**
 * Resolves with the first signal to stop. A later SIGINT or SIGTERM ends the process at once; a later SIGHUP does not, because
 * a closed terminal sends several.
 */
export function firstStopSignal(): Promise<NodeJS.Signals> {
  return new Promise(resolve => {
    let isStopping = false
    const stop = (signal: NodeJS.Signals) => {
      isStopping = true
      resolve(signal)
    }
    for (const signal of STOP_SIGNALS) {
      process.on(signal, () => {
        if (isStopping && signal !== 'SIGHUP') process.exit(128 + constants.signals[signal])
        stop(signal)
      })
    }
    if (isForegroundOfNpmScript(process.env)) onParentExit(() => stop('SIGHUP'))
  })
}

/**
 * True for an npm script that runs only minikafka. npm passes a signal to the shell of the script; the shell ends and leaves its
 * command running, so the command stops when its parent exits. Shells of other scripts may exit earlier on purpose.
 */
function isForegroundOfNpmScript({ npm_lifecycle_script: script }: NodeJS.ProcessEnv): boolean {
  return script !== undefined && ONLY_MINIKAFKA.test(script)
}

function onParentExit(act: () => void): void {
  const { loop } = systemClocks
  const parent = process.ppid
  const check = () => {
    if (process.ppid !== parent) act()
    else loop.at(loop.now() + PARENT_CHECK_INTERVAL_MS, check)
  }
  check()
}
