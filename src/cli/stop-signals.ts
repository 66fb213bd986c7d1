/**
 * The signals that stop a command cleanly, the same as for the JVM of Apache Kafka. A handler is also needed for PID 1 of a
 * container, for which signals have no default action.
 */
import { constants } from 'node:os'
import { systemClocks } from '../runtime/time.ts'

const STOP_SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const
const PARENT_CHECK_INTERVAL_MS = 200
/** A script that runs minikafka and nothing else, in the foreground: `minikafka start --port 0`, `node bin/minikafka.js start`. */
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
 * npm passes a signal to the shell of its script, and a shell that it ends leaves its command running. Of a script with other
 * commands the shell may end earlier for a good reason.
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
