/** The method that `console.log` of Node calls on an object. */
export const INSPECT: unique symbol = Symbol.for('nodejs.util.inspect.custom')
