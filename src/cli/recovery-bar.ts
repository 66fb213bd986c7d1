/** The progress of a long recovery on a terminal: one line that is drawn again whenever it changes. */
import { type ProgressListener, progressBar } from '../log/recovery/recovery-progress.ts'

/** A terminal to draw on. */
export interface Terminal {
  readonly columns?: number
  write(text: string): unknown
}

const DEFAULT_COLUMNS = 80
/** Takes away what is on the line. Other lines that come in between are written over the bar, which is drawn anew. */
const CLEAR_LINE = '\x1b[2K'

/** A listener that draws, and leaves an empty line when all is done. */
export function recoveryBar(terminal: Terminal): ProgressListener {
  let drawn = ''
  return progress => {
    const isDone = progress.partitions === progress.partitionsTotal
    const bar = isDone ? '' : progressBar(progress, terminal.columns ?? DEFAULT_COLUMNS)
    if (bar === drawn) return
    terminal.write(`${CLEAR_LINE}${bar}\r`)
    drawn = bar
  }
}
